/* SPDX-License-Identifier: GPL-2.0-only */
/* Code and constants in memory: see text.h. */

#include "text.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "macro.h"
#include "pagemap.h"

/* Pages whose entries are read at once. */
#define ENTRIES 256

/* Segments of an object that are let go of; linkers make three: code, and constants before and after it. */
#define SEGMENTS_MAX 8

struct text {
        int pagemap_fd;
        uint64_t page_size;
        int64_t unmapped;
};

/*
 * A page that was written to is not the file's any more but anonymous, and shows without that bit:
 * pte_to_pagemap_entry() of fs/proc/task_mmu.c, Linux 6.12. MADV_DONTNEED would throw away what was
 * written. What is the file's it unmaps and marks as used, if it was: zap_present_folio_ptes() of
 * mm/memory.c.
 */
static bool is_of_file(uint64_t entry) {
        return pagemap_present(entry) && (entry & PAGEMAP_FILE);
}

static void unmap(struct text *text, uint64_t start, uint64_t end) {
        /* fails where memory is locked: that stays */
        if (madvise((void *) (uintptr_t) start, end - start, MADV_DONTNEED) >= 0)
                text->unmapped += (int64_t) (end - start);
}

static int let_go_of_range(struct text *text, uint64_t start, uint64_t end) {
        uint64_t entries[ENTRIES];

        while (start < end) {
                size_t max = MIN((end - start) / text->page_size, (uint64_t) ENTRIES), nr;
                int r = pagemap_read(text->pagemap_fd, start, text->page_size, entries, max);

                if (r <= 0)
                        return r < 0 ? r : -EIO;
                nr = (size_t) r;
                for (size_t i = 0, n; i < nr; i += n) {
                        bool of_file = is_of_file(entries[i]);

                        for (n = 1; i + n < nr && is_of_file(entries[i + n]) == of_file; n++)
                                ;
                        if (of_file)
                                unmap(text, start + i * text->page_size, start + (i + n) * text->page_size);
                }
                start += nr * text->page_size;
        }
        return 0;
}

/*
 * Segments that cannot be written to, by their program headers: the others hold data, and what was
 * relocated. The headers lie in the first of them, and reading on in them would bring it back.
 */
static int let_go_of_object(struct dl_phdr_info *info, size_t size, void *userdata) {
        struct text *text = userdata;
        uint64_t mask = text->page_size - 1, starts[SEGMENTS_MAX], ends[SEGMENTS_MAX];
        size_t nr = 0;
        int r = 0;

        for (size_t i = 0; i < info->dlpi_phnum && nr < SEGMENTS_MAX; i++) {
                const ElfW(Phdr) *header = &info->dlpi_phdr[i];
                uint64_t start = info->dlpi_addr + header->p_vaddr;

                if (header->p_type != PT_LOAD || (header->p_flags & PF_W))
                        continue;
                starts[nr] = start & ~mask;
                ends[nr++] = (start + header->p_memsz + mask) & ~mask;
        }
        for (size_t i = 0; r >= 0 && i < nr; i++)
                r = let_go_of_range(text, starts[i], ends[i]);
        return r;
}

int64_t text_let_go(void) {
        _cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        struct text text = { .pagemap_fd = fd, .page_size = (uint64_t) sysconf(_SC_PAGESIZE) };
        int r;

        if (fd < 0)
                return -errno;
        r = dl_iterate_phdr(let_go_of_object, &text);
        return r < 0 ? r : text.unmapped;
}
