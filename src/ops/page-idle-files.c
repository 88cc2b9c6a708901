/* SPDX-License-Identifier: GPL-2.0-only */
/* What page_idle operations need of the kernel: see page-idle-files.h. */

#include "page-idle-files.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "collapse.h"
#include "inject.h"
#include "macro.h"
#include "pagemap.h"
#include "root.h"

#define BITMAP_PATH "/sys/kernel/mm/page_idle/bitmap"
#define LRU_GEN_PATH "/sys/kernel/mm/lru_gen/enabled"

static int need_proc(struct page_idle_files *files, const char **ret_why) {
        files->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (files->proc_fd < 0) {
                *ret_why = "/proc is not mounted";
                return -ENOTSUP;
        }
        return 0;
}

static int need_bitmap(struct page_idle_files *files, const char **ret_why) {
        files->bitmap_fd = open(BITMAP_PATH, O_RDWR | O_CLOEXEC);
        if (files->bitmap_fd >= 0)
                return 0;
        switch (errno) {
        case ENOENT:
                *ret_why = "this kernel has no " BITMAP_PATH
                           ": it was built without CONFIG_IDLE_PAGE_TRACKING, or /sys is not mounted";
                return -ENOTSUP;
        case EROFS:
                *ret_why = BITMAP_PATH " is read-only here: a sandbox such as ProtectKernelTunables= "
                           "needs ReadWritePaths=-/sys/kernel/mm/page_idle beside it";
                return -EPERM;
        case EPERM:
                *ret_why = BITMAP_PATH " may not be opened: kernel lockdown or a security module forbids it";
                return -EPERM;
        case EACCES:
                *ret_why = BITMAP_PATH " may only be opened by root";
                return -EPERM;
        default:
                *ret_why = BITMAP_PATH " cannot be opened";
                return -ENOTSUP;
        }
}

static int need_kpageflags(struct page_idle_files *files, const char **ret_why) {
        files->kpageflags_fd = openat(files->proc_fd, "kpageflags", O_RDONLY | O_CLOEXEC);
        if (files->kpageflags_fd >= 0)
                return 0;
        if (errno == ENOENT) {
                *ret_why = "this kernel has no /proc/kpageflags: it was built without "
                           "CONFIG_PROC_PAGE_MONITOR";
                return -ENOTSUP;
        }
        *ret_why = "/proc/kpageflags may only be opened by root";
        return -EPERM;
}

/* Without CAP_SYS_ADMIN in the first user namespace, page frame numbers read as 0. */
static int need_pfns(struct page_idle_files *files, const char **ret_why) {
        _cleanup_close_ int fd = openat(files->proc_fd, "self/pagemap", O_RDONLY | O_CLOEXEC);
        uint64_t entry;

        if (fd < 0 ||
            pagemap_read(fd, (uintptr_t) &entry, files->page_size, &entry, 1) != 1) {
                *ret_why = "this kernel has no /proc/PID/pagemap: it was built without "
                           "CONFIG_PROC_PAGE_MONITOR";
                return -ENOTSUP;
        }
        if (pagemap_present(entry) && pagemap_pfn(entry) == 0) {
                *ret_why = "/proc/PID/pagemap hides page frame numbers: CAP_SYS_ADMIN is missing, or "
                           "this is not the host's first user namespace";
                return -EPERM;
        }
        return 0;
}

static bool has_capability(int proc_fd, unsigned capability) {
        char status[8192], *p;

        if (root_read(proc_fd, "self/status", status, sizeof(status)) < 0)
                return false;
        p = strstr(status, "\nCapEff:");
        return p && (strtoull(p + strlen("\nCapEff:"), NULL, 16) >> capability & 1);
}

static int need_ptrace(struct page_idle_files *files, const char **ret_why) {
        if (has_capability(files->proc_fd, CAP_SYS_PTRACE))
                return 0;
        *ret_why = "CAP_SYS_PTRACE is missing: without it other processes' maps cannot be read";
        return -EPERM;
}

static int need_dac(struct page_idle_files *files, const char **ret_why) {
        if (has_capability(files->proc_fd, CAP_DAC_READ_SEARCH) ||
            has_capability(files->proc_fd, CAP_DAC_OVERRIDE))
                return 0;
        *ret_why = "CAP_DAC_READ_SEARCH is missing: without it the page maps of other users' "
                   "processes cannot be opened";
        return -EPERM;
}

static int need_madvise(struct page_idle_files *files, const char **ret_why) {
        _cleanup_close_ int self = (int) syscall(SYS_pidfd_open, getpid(), 0);

        if (self < 0) {
                *ret_why = "this kernel has no pidfd_open(2): Linux 5.10 or later is needed";
                return -ENOTSUP;
        }
        if (!has_capability(files->proc_fd, CAP_SYS_NICE)) {
                *ret_why = "CAP_SYS_NICE is missing: without it there is no process_madvise(2) on "
                           "other processes";
                return -EPERM;
        }
        if (process_madvise(self, &(struct iovec) {}, 0, MADV_PAGEOUT, 0) < 0) {
                *ret_why = "this kernel has no process_madvise(2): Linux 5.10 or later with "
                           "CONFIG_ADVISE_SYSCALLS is needed";
                return -ENOTSUP;
        }
        return 0;
}

static const struct need {
        const char *what;
        int (*satisfy)(struct page_idle_files *files, const char **ret_why);
} needs[] = {
        { "/proc", need_proc },
        { "page_idle bitmap", need_bitmap },
        { "page flags", need_kpageflags },
        { "page frame numbers", need_pfns },
        { "other processes' maps", need_ptrace },
        { "other users' processes", need_dac },
        { "process_madvise", need_madvise },
};

/*
 * Before Linux 6.5 a read of pagemap walks on to the end of the 2 MiB block, however short
 * it is (pagemap_read() in fs/proc/task_mmu.c: end_vaddr), so that all the entries there
 * are for the price of one. Since then an entry costs a twentieth of a call.
 */
static uint64_t cheap_pagemap_run(void) {
        struct utsname name;
        unsigned major = 0, minor = 0;

        if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
                return 20;
        return major < 6 || (major == 6 && minor < 5) ? 511 : 20;
}

/* Return: the number that a file begins with, 0 if there is no such file. */
static uint64_t read_number(const char *path) {
        char buf[32];

        return root_read(AT_FDCWD, path, buf, sizeof(buf)) < 0 ? 0 : strtoull(buf, NULL, 10);
}

static struct page_idle_files files_none(void) {
        return (struct page_idle_files) {
                .proc_fd = -1,
                .bitmap_fd = -1,
                .kpageflags_fd = -1,
                .lru_gen_fd = -1,
                .vmstat_fd = -1,
                .page_size = (uint64_t) sysconf(_SC_PAGESIZE),
                .huge_size = read_number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"),
                .nr_maps_max = read_number("/proc/sys/vm/max_map_count"),
                .pagemap_run = cheap_pagemap_run(),
        };
}

void page_idle_files_close(struct page_idle_files *files) {
        files->proc_fd = close_safe(files->proc_fd);
        files->bitmap_fd = close_safe(files->bitmap_fd);
        files->kpageflags_fd = close_safe(files->kpageflags_fd);
        files->lru_gen_fd = close_safe(files->lru_gen_fd);
        files->vmstat_fd = close_safe(files->vmstat_fd);
}

int page_idle_files_open(struct page_idle_files *ret_files, const char **ret_why) {
        struct page_idle_files files = files_none();
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(needs) && r >= 0; i++)
                r = needs[i].satisfy(&files, ret_why);
        if (r >= 0 && flock(files.bitmap_fd, LOCK_EX | LOCK_NB) < 0) {
                *ret_why = "another damond uses the page_idle bitmap; two would take each other's "
                           "accesses away";
                r = -EBUSY;
        }
        if (r < 0) {
                page_idle_files_close(&files);
                return r;
        }
        files.lru_gen_fd = open(LRU_GEN_PATH, O_RDONLY | O_CLOEXEC);
        files.vmstat_fd = openat(files.proc_fd, "vmstat", O_RDONLY | O_CLOEXEC);
        *ret_files = files;
        return 0;
}

static void print_caveat(const char *sentence, void *f) {
        fprintf(f, "note     %s\n", sentence);
}

int page_idle_probe(FILE *f) {
        struct page_idle_files files = files_none();
        const char *why;
        int worst = 0;

        for (size_t i = 0; i < ELEMENTSOF(needs); i++) {
                int r = needs[i].satisfy(&files, &why);

                if (r < 0)
                        fprintf(f, "missing  %s: %s\n", needs[i].what, why);
                else
                        fprintf(f, "ok       %s\n", needs[i].what);
                if (worst == 0)
                        worst = r;
        }
        if (!collapse_is_possible())
                print_caveat("hugepage cannot be done: it needs a kernel with transparent huge pages, of Linux 6.1 "
                             "or later", f);
        if (inject_probe(&why) < 0)
                fprintf(f, "note     nohugepage and hugepage_hint cannot be done: %s\n", why);
        if (files.proc_fd >= 0)
                page_idle_caveats(files.proc_fd, print_caveat, f);
        page_idle_files_close(&files);
        return worst;
}

static bool file_says(const char *path, const char *text) {
        char buf[64];

        return root_read(AT_FDCWD, path, buf, sizeof(buf)) > 0 && strstr(buf, text);
}

void page_idle_caveats(int proc_fd, void (*say)(const char *sentence, void *userdata),
                       void *userdata) {
        char buf[4096];

        if (root_read(proc_fd, "swaps", buf, sizeof(buf)) >= 0) {
                const char *second_line = strchr(buf, '\n');

                if (!second_line || second_line[1] == '\0')
                        say("there is no swap: pageout can drop file pages only", userdata);
        }
        if (root_read(AT_FDCWD, LRU_GEN_PATH, buf, sizeof(buf)) > 0 && strtoul(buf, NULL, 0) & 1)
                say("multi-generational LRU is on: under memory pressure its aging takes accesses "
                    "away, and memory may look colder than it is, or as if nothing were known of it",
                    userdata);
        if (file_says("/sys/kernel/mm/damon/admin/kdamonds/0/state", "on") ||
            file_says("/sys/module/damon_reclaim/parameters/enabled", "Y") ||
            file_says("/sys/module/damon_lru_sort/parameters/enabled", "Y"))
                say("the kernel's own DAMON is running: it and damond take each other's accesses away",
                    userdata);
}
