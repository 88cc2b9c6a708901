/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * /proc/PID/pagemap: the page frame behind an address. Format:
 * Documentation/admin-guide/mm/pagemap.rst.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <damond/range.h>

#define PAGEMAP_PFN_MASK ((UINT64_C(1) << 55) - 1)
#define PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56)
#define PAGEMAP_FILE (UINT64_C(1) << 61)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

/** pagemap_present() - say whether a page is mapped */
static inline bool pagemap_present(uint64_t entry) {
        return entry & PAGEMAP_PRESENT;
}

/** pagemap_pfn() - page frame number of a present page */
static inline uint64_t pagemap_pfn(uint64_t entry) {
        return entry & PAGEMAP_PFN_MASK;
}

/**
 * pagemap_in_transit() - say whether a page is neither mapped nor swapped out
 * @entry:      entry of a page that is not present
 *
 * Migration, device and poison entries and markers show as swapped, of a type above those of
 * swap files: MAX_SWAPFILES is at least 23 (include/linux/swap.h, Linux 6.12).
 */
static inline bool pagemap_in_transit(uint64_t entry) {
        return (entry & PAGEMAP_SWAPPED) && (entry & 31) >= 23;
}

/**
 * pagemap_read() - read the entries of a range of pages
 * @fd:         pagemap file
 * @addr:       address of the first page
 * @page_size:  page size, bytes
 * @entries:    receives the entries
 * @nr:         number of pages
 *
 * Return: number of entries read; 0 if the address space has ended, by exit or exec, since
 * the file was opened; or a negative errno.
 */
int pagemap_read(int fd, uint64_t addr, uint64_t page_size, uint64_t *entries, size_t nr);

/** struct pagemap_region - pages of one kind; struct page_region of include/uapi/linux/fs.h */
struct pagemap_region {
        uint64_t start;
        uint64_t end;
        uint64_t categories;
};

/** pagemap_is_huge() - say whether these are huge pages */
bool pagemap_is_huge(const struct pagemap_region *region);

/**
 * pagemap_scan() - find the pages of a range that are mapped
 * @fd:         pagemap file
 * @range:      where to look
 * @found:      receives what was found
 * @max:        number of parts that @found has room for
 * @max_pages:  the walk ends behind so many pages that are mapped or in swap; 0 is no limit
 * @ret_walked: set to where the walk has ended, for want of room perhaps
 *
 * Without @max_pages, pagemap_is_huge() can be asked of each part.
 *
 * The ioctl PAGEMAP_SCAN, which Linux has since 6.7 and which passes over holes quickly.
 *
 * Return: number of parts; -ENOTTY if the kernel cannot do it; -ESRCH if the address space has
 * ended; or another negative errno.
 */
int pagemap_scan(int fd, struct damon_range range, struct pagemap_region *found, size_t max,
                 uint64_t max_pages, uint64_t *ret_walked);
