/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * /proc/kpageflags: what kind of page a frame holds. It tells a mark that cannot take from
 * one that was taken back by an access. Bits: include/uapi/linux/kernel-page-flags.h.
 */

#include <stdbool.h>
#include <stdint.h>

#define KPF_LRU (UINT64_C(1) << 5)
#define KPF_SWAPBACKED (UINT64_C(1) << 14)
#define KPF_COMPOUND_HEAD (UINT64_C(1) << 15)
#define KPF_COMPOUND_TAIL (UINT64_C(1) << 16)
#define KPF_HUGE (UINT64_C(1) << 17)
#define KPF_NOPAGE (UINT64_C(1) << 20)
#define KPF_ZERO_PAGE (UINT64_C(1) << 24)

/**
 * kpageflags_read() - read the flags of a page frame
 * @fd:         /proc/kpageflags
 * @pfn:        page frame number
 * @ret_flags:  set to the flags; KPF_NOPAGE behind the end of memory
 *
 * Return: 0 or a negative errno.
 */
int kpageflags_read(int fd, uint64_t pfn, uint64_t *ret_flags);

/**
 * kpageflags_head() - find the head of the folio that a page belongs to
 * @fd:         /proc/kpageflags
 * @pfn:        page frame number
 * @ret_head:   set to the first page frame of the folio; @pfn itself if it is a single page
 * @ret_flags:  set to the flags of the head
 *
 * Only the head carries the idle flag (mm/page_idle.c, Linux 6.12). Folios are aligned to
 * their size in page frames, so the nearest aligned head below is the right one: a smaller
 * alignment inside the folio is a tail.
 *
 * Return: 0, -ENOENT if no head was found (the folio was just taken apart), or what
 * kpageflags_read() returned.
 */
int kpageflags_head(int fd, uint64_t pfn, uint64_t *ret_head, uint64_t *ret_flags);

/**
 * kpageflags_markable() - say whether page_idle can mark a page
 * @flags:      flags of a single page or a head
 */
static inline bool kpageflags_markable(uint64_t flags) {
        return (flags & KPF_LRU) &&
               !(flags & (KPF_COMPOUND_TAIL | KPF_HUGE | KPF_NOPAGE | KPF_ZERO_PAGE));
}
