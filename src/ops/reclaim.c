/* SPDX-License-Identifier: GPL-2.0-only */
/* How far the absence of accesses can be trusted: see reclaim.h. */

#include "reclaim.h"

#include <stdlib.h>
#include <string.h>

#include "macro.h"

#define UPDATE_INTERVAL UINT64_C(1000000000)

/*
 * The share of memory, one part in so many. There are three or four generations, and a new one
 * is begun when the oldest has been gone through (should_run_aging() in mm/vmscan.c). Measured
 * under Linux 6.12, memory was aged three to eight times while reclaim went once through all of
 * it, which makes it once in two to five of the longest windows that are trusted.
 */
#define TRUSTED_SHARE 16

/* Enough for what is counted on any machine; the names needed stand in the first half. */
#define VMSTAT_MAX 16384

/* Read a file from its start. Return: whether there was anything. */
static bool read_again(int fd, char *buf, size_t size) {
        size_t length = 0;
        ssize_t n;

        if (fd < 0)
                return false;
        do {
                n = pread(fd, buf + length, size - 1 - length, (off_t) length);
                if (n > 0)
                        length += (size_t) n;
        } while ((n > 0 && length < size - 1) || (n < 0 && errno == EINTR));
        buf[length] = '\0';
        return length > 0;
}

/* Add up the counters of the given names. Return: whether all of them are there. */
static bool sum_counters(const char *text, const char *const *names, size_t nr, uint64_t *ret_sum) {
        uint64_t sum = 0;

        for (size_t i = 0; i < nr; i++) {
                const char *found = strstr(text, names[i]);

                if (!found)
                        return false;
                sum += strtoull(found + strlen(names[i]), NULL, 10);
        }
        *ret_sum = sum;
        return true;
}

void reclaim_update(struct reclaim *reclaim, int lru_gen_fd, int vmstat_fd, uint64_t now) {
        /* Reclaim for a memory cgroup counts in the first two, but neither in pgscan_kswapd nor
         * in pgscan_direct. What other reclaim skips as accessed counts in the third. */
        static const char *const scans[] = { "\npgscan_anon ", "\npgscan_file ", "\npgrefill " };
        static const char *const lists[] = {
                "\nnr_inactive_anon ", "\nnr_active_anon ",
                "\nnr_inactive_file ", "\nnr_active_file ",
        };
        struct reclaim seen = { .read_at = now };
        char buf[VMSTAT_MAX];
        uint64_t listed;

        if (reclaim->read_at > 0 && now - reclaim->read_at < UPDATE_INTERVAL)
                return;
        if (!read_again(lru_gen_fd, buf, sizeof(buf)) || !(strtoul(buf, NULL, 0) & 1) ||
            !read_again(vmstat_fd, buf, sizeof(buf)) ||
            !sum_counters(buf, scans, ELEMENTSOF(scans), &seen.scanned) ||
            !sum_counters(buf, lists, ELEMENTSOF(lists), &listed)) {
                seen.scanned = UINT64_MAX;
                *reclaim = seen;
                return;
        }
        if (reclaim->read_at > 0 && seen.scanned > reclaim->scanned) {
                uint64_t page_time = (now - reclaim->read_at) / (seen.scanned - reclaim->scanned);

                if (__builtin_mul_overflow(page_time, listed / TRUSTED_SHARE, &seen.share_time))
                        seen.share_time = UINT64_MAX;
                seen.share_time = MAX(seen.share_time, UINT64_C(1));
        }
        *reclaim = seen;
}

bool reclaim_hides(const struct reclaim *reclaim, uint64_t window) {
        return reclaim->share_time > 0 && window > reclaim->share_time;
}
