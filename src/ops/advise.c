/* SPDX-License-Identifier: GPL-2.0-only */
/* process_madvise(2): see advise.h. */

#include "advise.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "clock.h"
#include "macro.h"

/* A call on more bytes in all is cut to this (MAX_RW_COUNT, lib/iov_iter.c, Linux 6.12). */
#define CALL_MAX UINT64_C(0x7ffff000)

/*
 * Bytes of a call that is to end in time. No more than a huge page, whose CPU time is next to nothing;
 * but a slow swap device has the call wait, once its queue is full, for as much to be written. So the
 * first calls are small, and so are those after one that had to wait; but where there are huge pages,
 * which would be split, and then not be what a filter of their size has let through.
 */
#define SZ_LIMITED_MAX (UINT64_C(2) << 20)
#define SZ_LIMITED_MIN (UINT64_C(64) << 10)

/* A call should take no longer, nanoseconds; one that takes less than a part of it may be longer. */
#define CALL_TIME UINT64_C(50000000)
#define CALL_QUICK 4

/*
 * Bytes in a nanosecond, which is half a microsecond a page: one that is quicker has moved nothing, as what
 * is shared is passed over, and says nothing about a device.
 */
#define NOTHING_DONE 8

struct advice_limit advice_limit(uint64_t time, const struct advice_limit *last) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        return (struct advice_limit) {
                .until = now + MIN(time, UINT64_MAX - now),
                .sz_call = MAX(last->sz_call, SZ_LIMITED_MIN),
        };
}

bool advice_is_late(const struct advice_limit *limit) {
        return limit && limit->begun && clock_ns(CLOCK_MONOTONIC) >= limit->until;
}

/*
 * Where to cut what is to be advised on from @start to @end, so that there is no more in memory of it
 * than @room; the first huge page of a call goes whole.
 */
static uint64_t cut(const struct advice_limit *limit, uint64_t start, uint64_t end, uint64_t *room) {
        const struct advice_run all = { .range = { start, end } };
        const struct advice_run *runs = limit->runs ? limit->runs : &all;
        size_t nr = limit->runs ? limit->nr_runs : 1;

        for (size_t i = limit->run; i < nr && runs[i].range.start < end; i++) {
                uint64_t from = MAX(start, runs[i].range.start), to = MIN(end, runs[i].range.end);

                if (from >= to)
                        continue;
                if (to - from > *room) {
                        uint64_t unit = runs[i].huge ? SZ_LIMITED_MAX : limit->sz_call;
                        uint64_t least = runs[i].huge && *room == limit->sz_call ? (from / unit + 1) * unit : from;

                        to = MIN(MAX((from + *room) / unit * unit, least), to);
                        *room -= MIN(to - from, *room);
                        return to;
                }
                *room -= to - from;
        }
        return end;
}

/*
 * Put what one call takes of pieces, of the first one what is left of it, into @iov. With a limit, the
 * last one may be cut. @ret_size is set to what of it is in memory. Return: of how many.
 */
static size_t gather(struct iovec iov[static IOV_MAX], const struct advice *pieces, size_t nr,
                     struct advice_limit *limit, uint64_t *ret_size) {
        uint64_t size = limit ? limit->sz_call : 0, room = size, all = CALL_MAX;
        size_t n = 0;

        while (limit && limit->run < limit->nr_runs &&
               limit->runs[limit->run].range.end <= pieces[0].range.start + pieces[0].sz_applied)
                limit->run++;
        for (bool whole = true; whole && n < nr && n < IOV_MAX; n++) {
                uint64_t start = pieces[n].range.start + pieces[n].sz_applied, end = pieces[n].range.end;

                if (end - start > all)
                        break;
                if (limit)
                        end = cut(limit, start, end, &room);
                if (end <= start)
                        break;
                whole = end == pieces[n].range.end;
                iov[n].iov_base = (void *) (uintptr_t) start;
                iov[n].iov_len = end - start;
                all -= end - start;
        }
        *ret_size = size - room;
        return n;
}

static bool is_about_the_process(int error) {
        return error == ESRCH || error == EPERM || error == EACCES || error == ENOSYS ||
               error == EBADF;
}

/* The next call is to be shorter or longer, by how long one with so many bytes in memory took. */
static void adapt(struct advice_limit *limit, uint64_t took, uint64_t size) {
        limit->begun = true;
        if (took < CALL_TIME / CALL_QUICK && took >= size / NOTHING_DONE && size >= limit->sz_call / 2)
                limit->sz_call = MIN(2 * limit->sz_call, SZ_LIMITED_MAX);
        for (; took > CALL_TIME && limit->sz_call > SZ_LIMITED_MIN; took /= 2)
                limit->sz_call /= 2;
}

int advise(int pidfd, int advice, struct advice *pieces, size_t nr, struct advice_limit *limit) {
        for (size_t i = 0; i < nr && !advice_is_late(limit);) {
                struct iovec iov[IOV_MAX];
                uint64_t size, began;
                size_t n = gather(iov, pieces + i, nr - i, limit, &size);
                ssize_t done;
                int error;

                began = limit ? clock_ns(CLOCK_MONOTONIC) : 0;
                do
                        done = process_madvise(pidfd, iov, n, advice, 0);
                while (done < 0 && errno == EINTR);
                error = errno;
                if (limit)
                        adapt(limit, clock_ns(CLOCK_MONOTONIC) - began, size);
                if (done < 0) {
                        if (is_about_the_process(error))
                                return -error;
                        pieces[i].error = error;
                        i++;
                        continue;
                }

                /* The call stops at the first piece that fails, and says how far it came; the
                 * next call begins with that piece and hears its error. */
                for (size_t k = 0; k < n; k++) {
                        if (iov[k].iov_len > (size_t) done) {
                                if (k == 0)
                                        pieces[i++].error = EIO;        /* never again the same call */
                                break;
                        }
                        pieces[i].sz_applied += iov[k].iov_len;
                        done -= (ssize_t) iov[k].iov_len;
                        i += !advice_is_left(&pieces[i]);
                }
        }
        return 0;
}
