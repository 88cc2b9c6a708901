/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/pagemap: see pagemap.h. */

#include "pagemap.h"

#include "macro.h"

int pagemap_read(int fd, uint64_t addr, uint64_t page_size, uint64_t *entries, size_t nr) {
        ssize_t n;

        do
                n = pread(fd, entries, nr * sizeof(entries[0]),
                          (off_t) (addr / page_size * sizeof(entries[0])));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return (int) ((size_t) n / sizeof(entries[0]));
}
