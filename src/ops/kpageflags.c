/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/kpageflags: see kpageflags.h. */

#include "kpageflags.h"

#include "macro.h"

/* Largest folio: 2^18 pages, 1 GiB of 4 KiB pages. */
#define MAX_FOLIO_ORDER 18

int kpageflags_read(int fd, uint64_t pfn, uint64_t *ret_flags) {
        uint64_t flags;
        ssize_t n;

        do
                n = pread(fd, &flags, sizeof(flags), (off_t) (pfn * sizeof(flags)));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        *ret_flags = n == sizeof(flags) ? flags : KPF_NOPAGE;
        return 0;
}

int kpageflags_head(int fd, uint64_t pfn, uint64_t *ret_head, uint64_t *ret_flags) {
        uint64_t head = pfn, flags;
        int r;

        r = kpageflags_read(fd, pfn, &flags);
        if (r < 0)
                return r;
        if (flags & KPF_COMPOUND_TAIL) {
                for (unsigned order = 1; order <= MAX_FOLIO_ORDER; order++) {
                        uint64_t candidate = pfn & ~((UINT64_C(1) << order) - 1);

                        if (candidate == head)
                                continue;
                        head = candidate;
                        r = kpageflags_read(fd, head, &flags);
                        if (r < 0)
                                return r;
                        if (flags & KPF_COMPOUND_HEAD)
                                break;
                        if (!(flags & KPF_COMPOUND_TAIL))
                                return -ENOENT;
                }
                if (!(flags & KPF_COMPOUND_HEAD))
                        return -ENOENT;
        }
        *ret_head = head;
        *ret_flags = flags;
        return 0;
}
