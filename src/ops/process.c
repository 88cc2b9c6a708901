/* SPDX-License-Identifier: GPL-2.0-only */
/* A process held fast: see process.h. */

#include "process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "macro.h"
#include "pagemap.h"
#include "root.h"

/* include/linux/sched.h; field 9 of /proc/PID/stat */
#define PF_FORKNOEXEC 0x00000040U
#define PF_KTHREAD 0x00200000U

struct process_stat {
        char state;
        pid_t ppid;
        unsigned flags;
        struct process_image image;
};

/* /proc/PID/stat: Documentation/filesystems/proc.rst, table 1-4 */
static int read_stat(int dir_fd, const char *path, struct process_stat *ret_stat) {
        struct process_stat stat = {};
        char buf[2048], *p;
        uint64_t field[53] = {};
        int r;

        r = root_read(dir_fd, path, buf, sizeof(buf));
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        p = strrchr(buf, ')');          /* the name before it may hold anything */
        if (!p || p[1] != ' ' || p[2] == '\0')
                return -EBADMSG;
        stat.state = p[2];
        p += 3;
        for (unsigned i = 4; i < ELEMENTSOF(field) && *p == ' '; i++)
                field[i] = strtoull(p, &p, 10);

        stat.ppid = (pid_t) field[4];
        stat.flags = (unsigned) field[9];
        stat.image = (struct process_image) {
                .start_time = field[22],
                .start_code = field[26],
                .start_stack = field[28],
                .arg_start = field[48],
        };
        *ret_stat = stat;
        return 0;
}

static bool image_equal(const struct process_image *a, const struct process_image *b) {
        return a->start_time == b->start_time && a->start_code == b->start_code &&
               a->start_stack == b->start_stack && a->arg_start == b->arg_start;
}

static bool has_exited(int pidfd) {
        struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

        return poll(&poll_fd, 1, 0) != 0;
}

bool process_same_memory(pid_t a, pid_t b) {
        return syscall(SYS_kcmp, a, b, KCMP_VM, 0UL, 0UL) == 0;
}

pid_t process_parent(int proc_fd, pid_t pid) {
        struct process_stat stat;
        char path[32];
        int r;

        (void) snprintf(path, sizeof(path), "%d/stat", (int) pid);
        r = read_stat(proc_fd, path, &stat);
        return r < 0 ? r : stat.ppid;
}

/*
 * A vfork child's page map is its parent's, and stays that when the child executes a
 * program, while its pidfd then leads to the new image: such a child must not become a
 * target before it has memory of its own.
 */
static bool borrows_memory(pid_t pid, const struct process_stat *stat) {
        return (stat->flags & PF_FORKNOEXEC) && process_same_memory(pid, stat->ppid);
}

int process_open(struct process *ret_process, int proc_fd, pid_t pid) {
        _cleanup_close_ int pidfd = -1, dir_fd = -1, pagemap_fd = -1;
        struct process_stat before, after;
        char path[16];
        int r;

        pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0)
                return -errno;
        (void) snprintf(path, sizeof(path), "%d", (int) pid);
        dir_fd = openat(proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        /* Alive now, so the number named this process when the directory was opened. */
        if (has_exited(pidfd))
                return -ESRCH;

        r = read_stat(dir_fd, "stat", &before);
        if (r < 0)
                return r;
        if (before.flags & PF_KTHREAD)
                return -ENOEXEC;
        if (before.state == 'Z' || before.state == 'X')
                return -ESRCH;
        pagemap_fd = openat(dir_fd, "pagemap", O_RDONLY | O_CLOEXEC);
        if (pagemap_fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        /* The page map and the image must be of the same program. */
        r = read_stat(dir_fd, "stat", &after);
        if (r < 0)
                return r;
        if (!image_equal(&before.image, &after.image) || borrows_memory(pid, &after))
                return -EBUSY;
        if (has_exited(pidfd))
                return -ESRCH;

        *ret_process = (struct process) {
                .pidfd = TAKE_FD(pidfd),
                .dir_fd = TAKE_FD(dir_fd),
                .pagemap_fd = TAKE_FD(pagemap_fd),
                .image = after.image,
        };
        return 0;
}

void process_close(struct process *process) {
        process->pidfd = close_safe(process->pidfd);
        process->dir_fd = close_safe(process->dir_fd);
        process->pagemap_fd = close_safe(process->pagemap_fd);
}

bool process_is_current(const struct process *process, uint64_t addr, uint64_t page_size) {
        struct process_stat stat;
        uint64_t entry;

        /* An address space that has ended reads as 0 bytes (pagemap_read() in
         * fs/proc/task_mmu.c, Linux 6.12); but one that a CLONE_VM child left behind is kept
         * alive by the parent, so the image is compared too. */
        if (addr != 0 && pagemap_read(process->pagemap_fd, addr, page_size, &entry, 1) != 1)
                return false;
        if (read_stat(process->dir_fd, "stat", &stat) < 0)
                return false;
        return image_equal(&stat.image, &process->image) && !has_exited(process->pidfd);
}
