/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/pagemap: see pagemap.h. */

#include "pagemap.h"

#include <sys/ioctl.h>

#include "macro.h"

/* include/uapi/linux/fs.h, Linux 6.7; older headers lack it */
struct pm_scan_arg {
        uint64_t size;
        uint64_t flags;
        uint64_t start;
        uint64_t end;
        uint64_t walk_end;
        uint64_t vec;
        uint64_t vec_len;
        uint64_t max_pages;
        uint64_t category_inverted;
        uint64_t category_mask;
        uint64_t category_anyof_mask;
        uint64_t return_mask;
};

#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_PRESENT (UINT64_C(1) << 3)
#define PAGE_IS_SWAPPED (UINT64_C(1) << 4)
#define PAGE_IS_HUGE (UINT64_C(1) << 6)

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

bool pagemap_is_huge(const struct pagemap_region *region) {
        return region->categories & PAGE_IS_HUGE;
}

/* Keep what is present. Return: number of parts. */
static int drop_swapped(struct pagemap_region *found, int nr) {
        int nr_kept = 0;

        for (int i = 0; i < nr; i++)
                if (found[i].categories & PAGE_IS_PRESENT)
                        found[nr_kept++] = found[i];
        return nr_kept;
}

int pagemap_scan(int fd, struct damon_range range, struct pagemap_region *found, size_t max,
                 uint64_t max_pages, uint64_t *ret_walked) {
        struct pm_scan_arg arg = {
                .size = sizeof(arg),
                .start = range.start,
                .end = range.end,
                .vec = (uint64_t) (uintptr_t) found,
                .vec_len = max,
                .max_pages = max_pages,
                /* pages in swap take as long to pass over as others */
                .category_anyof_mask = PAGE_IS_PRESENT | (max_pages > 0 ? PAGE_IS_SWAPPED : 0),
                .return_mask = PAGE_IS_PRESENT | (max_pages > 0 ? PAGE_IS_SWAPPED : PAGE_IS_HUGE),
        };
        int nr;

        do
                nr = ioctl(fd, PAGEMAP_SCAN, &arg);
        while (nr < 0 && errno == EINTR);
        if (nr < 0)
                return -errno;
        *ret_walked = arg.walk_end;
        return drop_swapped(found, nr);
}
