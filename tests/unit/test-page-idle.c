/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page_idle operations on a simulated kernel: page frames, page maps, the bitmap and
 * process_madvise(2), which behave as mm/page_idle.c, fs/proc/ and mm/madvise.c of Linux
 * 6.12 do. They stand behind the calls by which the operations reach the kernel (--wrap of
 * the linker) and know their files by descriptor; every other file is real, and so are the
 * mappings of the test's own process, which is the target.
 */

#include "test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <damond/engine.h>

#include "advise.h"
#include "kpageflags.h"
#include "macro.h"
#include "page-idle.h"
#include "pagemap.h"
#include "process.h"
#include "rng.h"

#define PAGE UINT64_C(4096)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Borders of real mappings are multiples of this, the largest page size there is. */
#define GRAIN (64 * KIB)

#define NR_FRAMES (UINT64_C(1) << 19)
#define NR_FOLIOS 1024
#define NR_SPACES 3
#define NR_PAGES 8192
#define NR_CALLS 65536
#define NR_APPLIED 4096

#define MAX_RW_COUNT UINT64_C(0x7ffff000)
#define KERNFS_MAX (512 * sizeof(uint64_t))

#define SWAP_ENTRY(type) (PAGEMAP_SWAPPED | (type))
#define SWAPPED SWAP_ENTRY(0)
#define MIGRATING SWAP_ENTRY(30)

/* A folio, or a single page */
struct folio {
        uint64_t head;
        unsigned order;
        bool lru, huge, zero;
        bool idle;
};

/* A page table entry */
struct pte {
        uint64_t entry;                         /* as pagemap shows it */
        bool accessed;
};

/* An address space: the part of it from @first on can have pages */
struct space {
        int fd;                                 /* its pagemap */
        bool ended;
        bool full;                              /* all pages are there: any of 256 frames */
        uint64_t first;
        struct pte ptes[NR_PAGES];
};

struct call {
        enum {
                PAGEMAP_READ,
                FLAGS_READ,
                BITMAP_READ,
                BITMAP_WRITE,
        } kind;
        uint64_t first;                         /* page, frame or word */
        uint64_t nr;
};

struct madvise_call {
        int advice;
        size_t nr;
        uint64_t size;                          /* bytes asked for */
};

static struct {
        uint64_t nr_frames;                     /* max_pfn */
        uint64_t nr_flags;                      /* kpageflags may reach further */
        int bitmap_fd, flags_fd;

        struct folio folios[NR_FOLIOS];
        size_t nr_folios;
        uint16_t folio_of[NR_FRAMES];           /* index + 1 */
        struct space spaces[NR_SPACES];
        size_t nr_spaces;
        uint16_t mapped_at[NR_SPACES][NR_FRAMES];       /* reverse map: index + 1 */

        struct call calls[NR_CALLS];
        size_t nr_calls;
        uint64_t marked[NR_FRAMES / 64];        /* bits that were ever written */
        bool signals;                           /* every other call is interrupted */
        bool interrupted;
        int read_error;                         /* of the file below */
        int read_error_fd;

        struct damon_range applied[NR_APPLIED];
        size_t nr_applied;
        struct madvise_call madvise_calls[NR_CALLS];
        size_t nr_madvise_calls;
        struct {
                struct damon_range range;
                int error;
        } refusals[8];
        size_t nr_refusals;
        int madvise_error;                      /* from the call below on */
        size_t madvise_error_from;
        uint64_t madvise_max;                   /* a call stops, without error, behind so much */

        uint64_t later;                         /* how far the clock is ahead, seconds */
        uint64_t madvise_takes;                 /* seconds */

        struct damon_range present[4];          /* what PAGEMAP_SCAN finds */
        size_t nr_present;
        int scan_error;
        uint64_t scan_cost;                     /* CPU time of a call, nanoseconds */
        uint64_t scan_time;                     /* and of all of them */
        size_t nr_scans;
        int scanned_fd;
} kernel;

ssize_t __real_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __real_pread64(int fd, void *buf, size_t size, off_t offset);
ssize_t __real_pwrite(int fd, const void *buf, size_t size, off_t offset);
ssize_t __real_pwrite64(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap___pread_chk(int fd, void *buf, size_t size, off_t offset, size_t room);
ssize_t __wrap___pread64_chk(int fd, void *buf, size_t size, off_t offset, size_t room);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_process_madvise(int pidfd, const struct iovec *iov, size_t nr, int advice,
                               unsigned flags);

static ssize_t error(int e) {
        errno = e;
        return -1;
}

static bool interrupt(void) {
        kernel.interrupted = kernel.signals && !kernel.interrupted;
        return kernel.interrupted;
}

static void log_call(int kind, uint64_t first, uint64_t nr) {
        assert_true(kernel.nr_calls < NR_CALLS);
        kernel.calls[kernel.nr_calls++] = (struct call) { kind, first, nr };
}

static struct folio *folio_of(uint64_t pfn) {
        if (pfn >= NR_FRAMES || kernel.folio_of[pfn] == 0)
                return NULL;
        return &kernel.folios[kernel.folio_of[pfn] - 1];
}

/* page_idle_get_folio() */
static struct folio *idle_folio_of(uint64_t pfn) {
        struct folio *folio = folio_of(pfn);

        return folio && folio->lru && folio->head == pfn ? folio : NULL;
}

/* page_idle_clear_pte_refs() */
static void clear_refs(struct folio *folio) {
        for (uint64_t pfn = folio->head; pfn < folio->head + (UINT64_C(1) << folio->order); pfn++)
                for (size_t i = 0; i < kernel.nr_spaces; i++) {
                        struct pte *pte;

                        if (kernel.mapped_at[i][pfn] == 0)
                                continue;
                        pte = &kernel.spaces[i].ptes[kernel.mapped_at[i][pfn] - 1];
                        if (pte->accessed)
                                folio->idle = false;
                        pte->accessed = false;
                }
}

/* page_idle_bitmap_read() and _write(): a last word that is not whole is worked on, not counted */
static ssize_t bitmap_io(uint64_t *out, const uint64_t *in, size_t size, off_t offset) {
        uint64_t pfn = (uint64_t) offset * 8, end;
        ssize_t done = 0;

        if (offset % 8 != 0 || size % 8 != 0)
                return error(EINVAL);
        size = MIN(size, KERNFS_MAX);
        log_call(out ? BITMAP_READ : BITMAP_WRITE, (uint64_t) offset / 8, size / 8);
        if (pfn >= kernel.nr_frames)
                return out ? 0 : error(ENXIO);
        end = MIN(pfn + size * 8, kernel.nr_frames);
        for (size_t word = 0; pfn < end; pfn++) {
                struct folio *folio = idle_folio_of(pfn);
                uint64_t bit = UINT64_C(1) << (pfn % 64);

                if (out && pfn % 64 == 0)
                        out[word] = 0;
                if (out && folio && folio->idle) {
                        clear_refs(folio);
                        if (folio->idle)
                                out[word] |= bit;
                }
                if (in && (in[word] & bit)) {
                        kernel.marked[pfn / 64] |= bit;
                        if (folio) {
                                clear_refs(folio);
                                folio->idle = true;
                        }
                }
                if (pfn % 64 == 63) {
                        word++;
                        done += 8;
                }
        }
        return done;
}

/* stable_page_flags() */
static uint64_t flags_of(uint64_t pfn) {
        const struct folio *folio = folio_of(pfn);
        uint64_t flags = 0;

        if (!folio)
                return UINT64_C(1) << 10;       /* free */
        if (folio->order > 0)
                flags |= pfn == folio->head ? KPF_COMPOUND_HEAD : KPF_COMPOUND_TAIL;
        if (folio->lru)
                flags |= KPF_LRU;
        if (folio->huge)
                flags |= KPF_HUGE;
        if (folio->zero)
                flags |= KPF_ZERO_PAGE;
        if (folio->idle)
                flags |= UINT64_C(1) << 25;
        return flags;
}

static ssize_t flags_read(uint64_t *out, size_t size, off_t offset) {
        uint64_t first = (uint64_t) offset / 8, nr = size / 8;

        if (offset % 8 != 0 || size % 8 != 0)
                return error(EINVAL);
        log_call(FLAGS_READ, first, nr);
        if (first >= kernel.nr_flags)
                return 0;
        nr = MIN(nr, kernel.nr_flags - first);
        for (uint64_t i = 0; i < nr; i++)
                out[i] = flags_of(first + i);
        return (ssize_t) (nr * 8);
}

static ssize_t space_read(const struct space *space, uint64_t *out, size_t size, off_t offset) {
        uint64_t first = (uint64_t) offset / 8;

        if (offset % 8 != 0 || size % 8 != 0)
                return error(EINVAL);
        log_call(PAGEMAP_READ, first, size / 8);
        if (space->ended)
                return 0;
        for (uint64_t i = 0; i < size / 8; i++) {
                uint64_t page = first + i - space->first;

                if (space->full)
                        out[i] = PAGEMAP_PRESENT | ((first + i) * 2654435761 >> 4) % 256;
                else
                        out[i] = page < NR_PAGES ? space->ptes[page].entry : 0;
        }
        return (ssize_t) size;
}

static ssize_t kernel_read(int fd, void *buf, size_t size, off_t offset, bool *ret_ours) {
        struct space *space = NULL;

        for (size_t i = 0; i < kernel.nr_spaces; i++)
                if (fd == kernel.spaces[i].fd)
                        space = &kernel.spaces[i];
        *ret_ours = space || fd == kernel.bitmap_fd || fd == kernel.flags_fd;
        if (!*ret_ours)
                return 0;
        if (interrupt())
                return error(EINTR);
        if (kernel.read_error != 0 && fd == kernel.read_error_fd)
                return error(kernel.read_error);
        if (space)
                return space_read(space, buf, size, offset);
        if (fd == kernel.bitmap_fd)
                return bitmap_io(buf, NULL, size, offset);
        return flags_read(buf, size, offset);
}

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset) {
        bool ours;
        ssize_t n = kernel_read(fd, buf, size, offset, &ours);

        return ours ? n : __real_pread(fd, buf, size, offset);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t offset) {
        bool ours;
        ssize_t n = kernel_read(fd, buf, size, offset, &ours);

        return ours ? n : __real_pread64(fd, buf, size, offset);
}

/* what _FORTIFY_SOURCE makes of it */
ssize_t __wrap___pread_chk(int fd, void *buf, size_t size, off_t offset, size_t room) {
        assert_true(size <= room);
        return __wrap_pread(fd, buf, size, offset);
}

ssize_t __wrap___pread64_chk(int fd, void *buf, size_t size, off_t offset, size_t room) {
        assert_true(size <= room);
        return __wrap_pread64(fd, buf, size, offset);
}

static ssize_t kernel_write(int fd, const void *buf, size_t size, off_t offset) {
        if (interrupt())
                return error(EINTR);
        return bitmap_io(NULL, buf, size, offset);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t offset) {
        if (fd != kernel.bitmap_fd)
                return __real_pwrite(fd, buf, size, offset);
        return kernel_write(fd, buf, size, offset);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t size, off_t offset) {
        if (fd != kernel.bitmap_fd)
                return __real_pwrite64(fd, buf, size, offset);
        return kernel_write(fd, buf, size, offset);
}

/* Return: the error that advice on @range ends with; what lies before it is done. */
static int refusal(const struct damon_range *range) {
        for (size_t i = 0; i < kernel.nr_refusals; i++)
                if (kernel.refusals[i].range.start < range->end &&
                    range->start < kernel.refusals[i].range.end)
                        return kernel.refusals[i].error;
        return 0;
}

ssize_t __wrap_process_madvise(int pidfd, const struct iovec *iov, size_t nr, int advice,
                               unsigned flags) {
        struct madvise_call *call = &kernel.madvise_calls[kernel.nr_madvise_calls];
        uint64_t left = kernel.madvise_max, done = 0;

        assert_true(kernel.nr_madvise_calls < NR_CALLS);
        if (interrupt())
                return error(EINTR);
        *call = (struct madvise_call) { .advice = advice, .nr = nr };
        for (size_t i = 0; i < nr; i++)
                call->size += iov[i].iov_len;
        kernel.nr_madvise_calls++;
        kernel.later += kernel.madvise_takes;
        if (kernel.madvise_error != 0 && kernel.nr_madvise_calls > kernel.madvise_error_from)
                return error(kernel.madvise_error);
        if (nr > 1024 || flags != 0 ||
            (advice != MADV_COLD && advice != MADV_PAGEOUT && advice != MADV_WILLNEED))
                return error(EINVAL);
        for (size_t i = 0; i < nr; i++) {
                uint64_t start = (uintptr_t) iov[i].iov_base;
                struct damon_range range = { start, start + MIN(iov[i].iov_len, left) };
                int e = refusal(&range);

                if (e != 0)
                        return done > 0 ? (ssize_t) done : error(e);
                assert_true(kernel.nr_applied < NR_APPLIED);
                if (range.end > range.start)
                        kernel.applied[kernel.nr_applied++] = range;
                left -= range.end - range.start;
                done += range.end - range.start;
        }
        return (ssize_t) done;
}

int __wrap_sysinfo(struct sysinfo *info);

/* tests/unit/test-pageout.c is about what happens without swap */
int __wrap_sysinfo(struct sysinfo *info) {
        *info = (struct sysinfo) { .freeswap = GIB, .mem_unit = 1 };
        return 0;
}

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts) {
        int r = __real_clock_gettime(clock, ts);
        uint64_t ahead = clock == CLOCK_THREAD_CPUTIME_ID ? kernel.scan_time : 0;

        ts->tv_sec += (time_t) (kernel.later + ahead / 1000000000);
        ts->tv_nsec += (long) (ahead % 1000000000);
        if (ts->tv_nsec >= 1000000000) {
                ts->tv_sec++;
                ts->tv_nsec -= 1000000000;
        }
        return r;
}

/* include/uapi/linux/fs.h, Linux 6.7 */
struct pm_scan_arg {
        uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
        uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

int __wrap_ioctl(int fd, unsigned long request, ...);

/* do_pagemap_scan(); the vector is never full here, which tests/unit/test-resident.c is about */
int __wrap_ioctl(int fd, unsigned long request, ...) {
        struct pm_scan_arg *arg;
        uint64_t *found;
        int nr = 0;
        va_list ap;

        va_start(ap, request);
        arg = va_arg(ap, struct pm_scan_arg *);
        va_end(ap);
        assert_int_equal((unsigned) request, (unsigned) _IOWR('f', 16, struct pm_scan_arg));
        kernel.nr_scans++;
        kernel.scanned_fd = fd;
        kernel.scan_time += kernel.scan_cost;
        if (kernel.scan_error != 0)
                return (int) error(kernel.scan_error);
        found = (uint64_t *) (uintptr_t) arg->vec;
        for (size_t i = 0; i < kernel.nr_present; i++) {
                uint64_t start = MAX(kernel.present[i].start, arg->start);
                uint64_t end = MIN(kernel.present[i].end, arg->end);

                if (start >= end)
                        continue;
                found[3 * nr] = start;
                found[3 * nr + 1] = end;
                found[3 * nr + 2] = UINT64_C(1) << 3;           /* PAGE_IS_PRESENT */
                nr++;
        }
        arg->walk_end = arg->end;
        return nr;
}

static struct {
        struct page_idle_files files;
        struct page_idle *page_idle;
        const struct damon_ops *ops;
        struct damon_target *targets[NR_SPACES];
} test;

/* What targets have from here on; no real mapping, as only apply looks for those. */
#define BASE (UINT64_C(0x10000000) * PAGE)
#define ADDR(page) (BASE + (page) * PAGE)

static int open_fake(void) {
        int fd = memfd_create("fake", MFD_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

/* A target: the test's own process, but for its page map. Return: its number. */
static size_t add_target(void) {
        size_t i = kernel.nr_spaces++;
        struct process *process;

        assert_true(i < NR_SPACES);
        ASSERT_OK(page_idle_target_new(test.page_idle, "test", getpid(), &test.targets[i]));
        process = test.targets[i]->ops_data;
        assert_int_equal(close(process->pagemap_fd), 0);
        process->pagemap_fd = open_fake();
        kernel.spaces[i].fd = process->pagemap_fd;
        kernel.spaces[i].first = BASE / PAGE;
        return i;
}

static void new_ops(bool dry_run) {
        page_idle_free(test.page_idle);
        ASSERT_OK(page_idle_new(&test.page_idle, &test.ops, &test.files, dry_run));
}

static int setup(void **state) {
        memset(&kernel, 0, sizeof(kernel));
        memset(&test, 0, sizeof(test));
        kernel.nr_frames = NR_FRAMES - 32;
        kernel.nr_flags = NR_FRAMES;
        kernel.bitmap_fd = open_fake();
        kernel.flags_fd = open_fake();
        kernel.madvise_max = MAX_RW_COUNT;
        test.files = (struct page_idle_files) {
                .proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                .bitmap_fd = kernel.bitmap_fd,
                .kpageflags_fd = kernel.flags_fd,
                .lru_gen_fd = open_fake(),
                .vmstat_fd = open_fake(),
                .page_size = PAGE,
                .pagemap_run = 20,
        };
        if (test.files.proc_fd < 0)
                return -1;
        new_ops(false);
        add_target();
        return 0;
}

static int teardown(void **state) {
        for (size_t i = 0; i < NR_SPACES; i++)
                if (test.targets[i])
                        page_idle_target_free(test.targets[i]);
        page_idle_free(test.page_idle);
        page_idle_files_close(&test.files);
        return 0;
}

static struct folio *add_folio(uint64_t head, unsigned order) {
        struct folio *folio = &kernel.folios[kernel.nr_folios++];

        assert_true(kernel.nr_folios <= NR_FOLIOS);
        assert_int_equal(head & ((UINT64_C(1) << order) - 1), 0);
        *folio = (struct folio) { .head = head, .order = order, .lru = true };
        for (uint64_t pfn = head; pfn < head + (UINT64_C(1) << order); pfn++) {
                assert_true(pfn < NR_FRAMES && kernel.folio_of[pfn] == 0);
                kernel.folio_of[pfn] = (uint16_t) kernel.nr_folios;
        }
        return folio;
}

static struct pte *pte_of(size_t target, uint64_t addr) {
        struct space *space = &kernel.spaces[target];
        uint64_t page = addr / PAGE - space->first;

        assert_true(page < NR_PAGES);
        return &space->ptes[page];
}

static void set_entry(size_t target, uint64_t addr, uint64_t entry) {
        struct pte *pte = pte_of(target, addr);

        if (pagemap_present(pte->entry))
                kernel.mapped_at[target][pagemap_pfn(pte->entry)] = 0;
        pte->entry = entry;
        if (pagemap_present(entry) && pagemap_pfn(entry) < NR_FRAMES)
                kernel.mapped_at[target][pagemap_pfn(entry)] =
                        (uint16_t) (pte - kernel.spaces[target].ptes + 1);
}

static void map_frame(size_t target, uint64_t addr, uint64_t pfn) {
        /* pagemap has more to say: soft-dirty, exclusively mapped, file page */
        static const uint64_t more = UINT64_C(1) << 55 | UINT64_C(1) << 56 | UINT64_C(1) << 61;

        set_entry(target, addr, PAGEMAP_PRESENT | more | pfn);
}

static void map_folio(size_t target, uint64_t addr, const struct folio *folio) {
        for (uint64_t i = 0; i < UINT64_C(1) << folio->order; i++)
                map_frame(target, addr + i * PAGE, folio->head + i);
}

static void touch(size_t target, uint64_t addr) {
        struct pte *pte = pte_of(target, addr);

        assert_true(pagemap_present(pte->entry));
        pte->accessed = true;
}

/* folio_migrate_flags(): the idle flag goes with the contents, as does the accessed bit */
static void migrate(size_t target, uint64_t addr, const struct folio *from, struct folio *to) {
        to->idle = from->idle;
        map_folio(target, addr, to);
}

static struct damon_sample sample(size_t target, uint64_t addr) {
        struct damon_sample s;

        /* whatever an array holds where the last batch was */
        memset(&s, 0xa5, sizeof(s));
        s.target = test.targets[target];
        s.region = 0;
        s.addr = addr;
        return s;
}

static void mark(struct damon_sample *samples, size_t nr) {
        ASSERT_OK(test.ops->mark(test.page_idle, samples, nr));
}

static void check(struct damon_sample *samples, size_t nr) {
        ASSERT_OK(test.ops->check(test.page_idle, samples, nr));
}

static size_t count_calls(int kind) {
        size_t nr = 0;

        for (size_t i = 0; i < kernel.nr_calls; i++)
                nr += (int) kernel.calls[i].kind == kind;
        return nr;
}

static void forget_calls(void) {
        kernel.nr_calls = 0;
}

static void assert_call(size_t i, int kind, uint64_t first, uint64_t nr) {
        assert_true(i < kernel.nr_calls);
        assert_int_equal(kernel.calls[i].kind, kind);
        assert_int_equal(kernel.calls[i].first, first);
        assert_int_equal(kernel.calls[i].nr, nr);
}

/* Exactly these frames were ever marked. */
static void assert_marked(const uint64_t *pfns, size_t nr) {
        static uint64_t expected[NR_FRAMES / 64];

        memset(expected, 0, sizeof(expected));
        for (size_t i = 0; i < nr; i++)
                expected[pfns[i] / 64] |= UINT64_C(1) << (pfns[i] % 64);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (kernel.marked[i] != expected[i])
                        fail_msg("word %zu: marked %" PRIx64 ", want %" PRIx64, i,
                                 kernel.marked[i], expected[i]);
}

#define ASSERT_MARKED(...) \
        assert_marked((const uint64_t[]) { __VA_ARGS__ }, \
                      ELEMENTSOF(((const uint64_t[]) { __VA_ARGS__ })))

/* One sample from mark to check, and what happens in between. Return: the outcome. */
#define OUTCOME(addr, between)                                                  \
        ({                                                                      \
                struct damon_sample _s = sample(0, addr);                       \
                mark(&_s, 1);                                                   \
                between;                                                        \
                check(&_s, 1);                                                  \
                _s.outcome;                                                     \
        })

#define NOTHING ((void) 0)

/* the decision table */

static void an_untouched_page_is_idle_a_touched_one_accessed(void **state) {
        map_folio(0, ADDR(0), add_folio(100, 0));
        map_folio(0, ADDR(1), add_folio(101, 0));
        touch(0, ADDR(0));                      /* before the mark, so it does not count */
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_IDLE);
        assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(1))), DAMON_IDLE);
        assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(0))), DAMON_ACCESSED);
        ASSERT_MARKED(100);
}

static void rounds_do_not_disturb_each_other(void **state) {
        map_folio(0, ADDR(0), add_folio(100, 0));
        for (unsigned i = 0; i < 20; i++) {
                bool touched = i % 3 == 0;

                assert_int_equal(OUTCOME(ADDR(0) + 123, touched ? touch(0, ADDR(0)) : NOTHING),
                                 touched ? DAMON_ACCESSED : DAMON_IDLE);
        }
}

/* Reclaim has gone through so many pages, of a hundred thousand. */
static void set_scanned(uint64_t nr) {
        char text[256];
        int n = snprintf(text, sizeof(text),
                         "x\nnr_inactive_anon 100000\nnr_active_anon 0\nnr_inactive_file 0\n"
                         "nr_active_file 0\npgrefill 0\npgscan_anon %" PRIu64 "\npgscan_file 0\n", nr);

        assert_int_equal(pwrite(test.files.lru_gen_fd, "0x0007\n", 7, 0), 7);
        assert_int_equal(pwrite(test.files.vmstat_fd, text, (size_t) n, 0), n);
}

static void under_fast_reclaim_an_idle_flag_proves_nothing(void **state) {
        map_folio(0, ADDR(0), add_folio(100, 0));
        set_scanned(1000);
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_IDLE);
        set_scanned(101000);                    /* all of memory once */
        assert_int_equal(OUTCOME(ADDR(0), kernel.later += 2), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(0))), DAMON_ACCESSED);
        assert_int_equal(OUTCOME(ADDR(1), kernel.later++), DAMON_ABSENT);
        set_scanned(201000);
        assert_int_equal(OUTCOME(ADDR(0), kernel.later += 2), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_IDLE);                /* in no time */
        assert_int_equal(OUTCOME(ADDR(0), kernel.later += 2), DAMON_IDLE);      /* it is over */
}

static void what_is_absent_all_the_time_is_absent(void **state) {
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_ABSENT);
        set_entry(0, ADDR(1), SWAPPED);
        assert_int_equal(OUTCOME(ADDR(1), NOTHING), DAMON_ABSENT);
        assert_int_equal(OUTCOME(ADDR(1), set_entry(0, ADDR(1), 0)), DAMON_ABSENT);
        assert_int_equal(OUTCOME(ADDR(2), set_entry(0, ADDR(2), SWAP_ENTRY(22))), DAMON_ABSENT);
        assert_int_equal(count_calls(BITMAP_READ) + count_calls(BITMAP_WRITE), 0);
}

static void a_fault_is_an_access_once_its_page_is_on_the_lru(void **state) {
        struct folio *page = add_folio(100, 0), *fresh = add_folio(101, 0);
        struct folio *thp = add_folio(512, 9);

        fresh->lru = false;
        assert_int_equal(OUTCOME(ADDR(0), map_folio(0, ADDR(0), page)), DAMON_ACCESSED);
        assert_int_equal(OUTCOME(ADDR(1), map_folio(0, ADDR(1), fresh)), DAMON_UNKNOWN);
        set_entry(0, ADDR(512), SWAPPED);
        assert_int_equal(OUTCOME(ADDR(512), map_folio(0, ADDR(512), thp)), DAMON_ACCESSED);
        /* in the middle of a folio too */
        for (uint64_t i = 0; i < 512; i++)
                set_entry(0, ADDR(512 + i), 0);
        assert_int_equal(OUTCOME(ADDR(700), map_folio(0, ADDR(512), thp)), DAMON_ACCESSED);
}

static void a_read_fault_that_brings_the_zero_page_is_unknown(void **state) {
        struct folio *zero = add_folio(100, 0), *huge_zero = add_folio(512, 9);

        zero->zero = huge_zero->zero = true;
        zero->lru = huge_zero->lru = false;
        assert_int_equal(OUTCOME(ADDR(0), map_folio(0, ADDR(0), zero)), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(600), map_folio(0, ADDR(512), huge_zero)), DAMON_UNKNOWN);
}

/* It would not take the mark, and then look accessed. */
static void a_page_not_on_the_lru_when_marked_is_unknown(void **state) {
        struct folio *fresh = add_folio(100, 0);

        map_folio(0, ADDR(0), fresh);
        fresh->lru = false;
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(0))), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), fresh->lru = true), DAMON_UNKNOWN);
        fresh->lru = false;
        assert_int_equal(OUTCOME(ADDR(0), (fresh->lru = true, touch(0, ADDR(0)))), DAMON_UNKNOWN);
        assert_marked(NULL, 0);
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_IDLE);
}

static void zero_and_hugetlb_pages_are_unknown(void **state) {
        struct folio *zero = add_folio(100, 0), *huge_zero = add_folio(512, 9);
        struct folio *hugetlb = add_folio(1024, 9), *listed = add_folio(1536, 9);

        zero->zero = huge_zero->zero = true;
        hugetlb->huge = listed->huge = true;
        huge_zero->lru = hugetlb->lru = false;  /* as it is; but either flag alone would do */
        map_folio(0, ADDR(0), zero);
        map_folio(0, ADDR(512), huge_zero);
        map_folio(0, ADDR(1024), hugetlb);
        map_folio(0, ADDR(1536), listed);
        assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(0))), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(512), touch(0, ADDR(512))), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(515), NOTHING), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(1024), touch(0, ADDR(1024))), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(1234), touch(0, ADDR(1234))), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(1600), touch(0, ADDR(1600))), DAMON_UNKNOWN);
        assert_marked(NULL, 0);
}

static void a_folio_is_watched_by_its_head_only(void **state) {
        static const unsigned orders[] = { 1, 2, 4, 9 };

        for (size_t i = 0; i < ELEMENTSOF(orders); i++) {
                uint64_t nr = UINT64_C(1) << orders[i], base = 1024 * i;
                struct folio *folio = add_folio(4096 + base + 512, orders[i]);

                memset(kernel.marked, 0, sizeof(kernel.marked));
                /* not aligned in the address space, as file folios are not */
                map_folio(0, ADDR(base + 3), folio);
                for (uint64_t k = 0; k < nr; k += MAX(nr / 16, UINT64_C(1))) {
                        uint64_t addr = ADDR(base + 3 + k);
                        uint64_t first = ADDR(base + 3), last = ADDR(base + 3 + nr - 1);

                        forget_calls();
                        assert_int_equal(OUTCOME(addr, NOTHING), DAMON_IDLE);
                        assert_call(kernel.nr_calls - 1, BITMAP_READ, folio->head / 64, 1);
                        assert_int_equal(OUTCOME(addr, touch(0, addr)), DAMON_ACCESSED);
                        assert_int_equal(OUTCOME(addr, touch(0, first)), DAMON_ACCESSED);
                        assert_int_equal(OUTCOME(addr, touch(0, last)), DAMON_ACCESSED);
                }
                ASSERT_MARKED(folio->head);
        }
}

/* A head at the 2 MiB border is not the head of all that follows. */
static void smaller_folios_at_a_2_mib_border_are_not_mistaken_for_its_head(void **state) {
        struct folio *at_border = add_folio(1024, 4), *behind = add_folio(1040, 4);
        struct folio *middle = add_folio(1280, 8), *pair = add_folio(1058, 1);

        map_folio(0, ADDR(0), at_border);
        map_folio(0, ADDR(16), behind);
        map_folio(0, ADDR(256), middle);
        map_folio(0, ADDR(34), pair);
        for (uint64_t k = 0; k < 16; k++)
                assert_int_equal(OUTCOME(ADDR(16 + k), touch(0, ADDR(0))), DAMON_IDLE);
        ASSERT_MARKED(behind->head);
        assert_int_equal(OUTCOME(ADDR(511), touch(0, ADDR(16))), DAMON_IDLE);
        assert_int_equal(OUTCOME(ADDR(511), touch(0, ADDR(256))), DAMON_ACCESSED);
        assert_int_equal(OUTCOME(ADDR(35), touch(0, ADDR(0))), DAMON_IDLE);
        assert_int_equal(OUTCOME(ADDR(35), touch(0, ADDR(34))), DAMON_ACCESSED);
        ASSERT_MARKED(behind->head, middle->head, pair->head);
}

static void a_migrated_page_has_its_idle_flag_with_it(void **state) {
        struct folio *from = add_folio(100, 0), *to = add_folio(7777, 0);
        struct folio *thp = add_folio(1024, 9), *thp_to = add_folio(2048, 9);

        map_folio(0, ADDR(0), from);
        map_folio(0, ADDR(512), thp);
        assert_int_equal(OUTCOME(ADDR(0), migrate(0, ADDR(0), from, to)), DAMON_IDLE);
        assert_int_equal(OUTCOME(ADDR(700), migrate(0, ADDR(512), thp, thp_to)), DAMON_IDLE);
        ASSERT_MARKED(from->head, thp->head);
}

/* Whether it was accessed, or a new page came there that never had a flag, nobody knows. */
static void another_page_that_is_not_idle_is_unknown(void **state) {
        struct folio *from = add_folio(100, 0), *to = add_folio(101, 0), *other = add_folio(102, 0);

        map_folio(0, ADDR(0), from);
        assert_int_equal(OUTCOME(ADDR(0), (touch(0, ADDR(0)), migrate(0, ADDR(0), from, to))),
                         DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), map_folio(0, ADDR(0), other)), DAMON_UNKNOWN);
        map_folio(0, ADDR(0), from);
        assert_int_equal(OUTCOME(ADDR(0), (migrate(0, ADDR(0), from, to), to->lru = false)),
                         DAMON_UNKNOWN);
}

static void a_page_swapped_out_between_is_idle(void **state) {
        map_folio(0, ADDR(0), add_folio(100, 0));
        map_folio(0, ADDR(1), add_folio(101, 0));
        assert_int_equal(OUTCOME(ADDR(0), set_entry(0, ADDR(0), SWAPPED)), DAMON_IDLE);
        assert_int_equal(OUTCOME(ADDR(1), set_entry(0, ADDR(1), 0)), DAMON_IDLE);
}

static void an_entry_in_transit_is_unknown(void **state) {
        struct folio *folio = add_folio(100, 0);

        for (uint64_t type = 23; type < 32; type++) {
                map_folio(0, ADDR(0), folio);
                assert_int_equal(OUTCOME(ADDR(0), set_entry(0, ADDR(0), SWAP_ENTRY(type))),
                                 DAMON_UNKNOWN);
                assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_UNKNOWN);
                assert_int_equal(OUTCOME(ADDR(0), map_folio(0, ADDR(0), folio)), DAMON_UNKNOWN);
                set_entry(0, ADDR(0), MIGRATING);
                assert_int_equal(OUTCOME(ADDR(0), set_entry(0, ADDR(0), 0)), DAMON_UNKNOWN);
                /* it was absent: that is known */
                assert_int_equal(OUTCOME(ADDR(0), set_entry(0, ADDR(0), SWAP_ENTRY(type))),
                                 DAMON_UNKNOWN);
        }
}

static void a_page_isolated_when_checked_is_unknown(void **state) {
        struct folio *page = add_folio(100, 0), *thp = add_folio(512, 9);

        map_folio(0, ADDR(0), page);
        map_folio(0, ADDR(512), thp);
        assert_int_equal(OUTCOME(ADDR(0), page->lru = false), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(555), thp->lru = false), DAMON_UNKNOWN);
}

static void frames_behind_the_end_of_memory_are_unknown(void **state) {
        map_frame(0, ADDR(0), NR_FRAMES + 5);
        map_frame(0, ADDR(1), UINT64_C(1) << 40);
        assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(0))), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(1), NOTHING), DAMON_UNKNOWN);
        assert_marked(NULL, 0);
}

/* kpageflags reaches to the end of a section, the bitmap to the last whole word of memory. */
static void frames_that_the_bitmap_does_not_reach_are_unknown(void **state) {
        enum { WHOLE, PARTIAL, BEHIND, FAR, NR };
        static const uint64_t pfns[] = { 1024 + 63, 1024 + 65, 1024 + 130, 4096 };
        struct damon_sample samples[NR];

        kernel.nr_frames = 1024 + 64 + 32;
        for (size_t i = 0; i < NR; i++) {
                map_folio(0, ADDR(i), add_folio(pfns[i], 0));
                assert_int_equal(OUTCOME(ADDR(i), NOTHING),
                                 i == WHOLE ? DAMON_IDLE : DAMON_UNKNOWN);
                assert_int_equal(OUTCOME(ADDR(i), touch(0, ADDR(i))),
                                 i == WHOLE ? DAMON_ACCESSED : DAMON_UNKNOWN);
                samples[i] = sample(0, ADDR(i));
        }
        mark(samples, NR);
        check(samples, NR);
        assert_int_equal(samples[WHOLE].outcome, DAMON_IDLE);
        assert_int_equal(samples[PARTIAL].outcome, DAMON_UNKNOWN);
        assert_int_equal(samples[BEHIND].outcome, DAMON_UNKNOWN);
        assert_int_equal(samples[FAR].outcome, DAMON_UNKNOWN);
}

static void memory_taken_away_or_added_between_is_unknown(void **state) {
        map_folio(0, ADDR(0), add_folio(5000, 0));
        assert_int_equal(OUTCOME(ADDR(0), kernel.nr_frames = 4096), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), kernel.nr_frames = 8192), DAMON_UNKNOWN);
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_IDLE);
        kernel.nr_frames = 5001;                /* in the middle of the word */
        assert_int_equal(OUTCOME(ADDR(0), (kernel.nr_frames = 8192, touch(0, ADDR(0)))),
                         DAMON_UNKNOWN);
}

/* targets that end */

static void an_address_space_that_ended_before_the_mark_is_gone_and_harms_no_other(void **state) {
        struct damon_sample samples[3];

        add_target();
        map_folio(0, ADDR(0), add_folio(100, 0));
        map_folio(1, ADDR(0), add_folio(101, 0));
        map_folio(1, ADDR(1), add_folio(102, 0));
        kernel.spaces[0].ended = true;
        samples[0] = sample(0, ADDR(0));
        samples[1] = sample(1, ADDR(0));
        samples[2] = sample(1, ADDR(1));
        mark(samples, 3);
        assert_true(test.targets[0]->gone);
        assert_false(test.targets[1]->gone);
        touch(1, ADDR(1));
        forget_calls();
        check(samples, 3);
        assert_int_equal(samples[0].outcome, DAMON_UNKNOWN);
        assert_int_equal(samples[1].outcome, DAMON_IDLE);
        assert_int_equal(samples[2].outcome, DAMON_ACCESSED);
        ASSERT_MARKED(101, 102);
        assert_int_equal(count_calls(PAGEMAP_READ), 1);         /* none of the gone one */
}

static void an_address_space_that_ended_before_the_check_is_gone_and_harms_no_other(void **state) {
        struct damon_sample samples[6];

        add_target();
        add_target();
        for (size_t i = 0; i < 3; i++)
                for (size_t k = 0; k < 2; k++) {
                        map_folio(i, ADDR(100 * k), add_folio(100 + 2 * i + k, 0));
                        samples[2 * i + k] = sample(i, ADDR(100 * k));
                }
        mark(samples, 6);
        kernel.spaces[1].ended = true;
        touch(0, ADDR(100));
        touch(2, ADDR(0));
        check(samples, 6);
        assert_false(test.targets[0]->gone);
        assert_true(test.targets[1]->gone);
        assert_false(test.targets[2]->gone);
        assert_int_equal(samples[0].outcome, DAMON_IDLE);
        assert_int_equal(samples[1].outcome, DAMON_ACCESSED);
        assert_int_equal(samples[2].outcome, DAMON_UNKNOWN);
        assert_int_equal(samples[3].outcome, DAMON_UNKNOWN);
        assert_int_equal(samples[4].outcome, DAMON_ACCESSED);
        assert_int_equal(samples[5].outcome, DAMON_IDLE);
}

static void a_batch_of_nothing_is_no_work(void **state) {
        mark(NULL, 0);
        check(NULL, 0);
        assert_int_equal(kernel.nr_calls, 0);
}

/* what is read and written */

/* Frames of both targets lie in the same words. */
static void every_word_is_read_and_written_once_a_batch(void **state) {
        struct damon_sample samples[64];

        add_target();
        for (size_t i = 0; i < 64; i++) {
                map_folio(i % 2, ADDR(i), add_folio(1000 * (i % 4) + i, 0));
                samples[i] = sample(i % 2, ADDR(i));
        }
        mark(samples, 64);
        touch(0, ADDR(10));
        touch(1, ADDR(33));
        check(samples, 64);
        for (size_t i = 0; i < 64; i++)
                assert_int_equal(samples[i].outcome,
                                 i == 10 || i == 33 ? DAMON_ACCESSED : DAMON_IDLE);
        for (int kind = BITMAP_READ; kind <= BITMAP_WRITE; kind++) {
                static bool seen[NR_FRAMES / 64];

                memset(seen, 0, sizeof(seen));
                for (size_t i = 0; i < kernel.nr_calls; i++)
                        for (uint64_t w = 0; w < kernel.calls[i].nr; w++)
                                if ((int) kernel.calls[i].kind == kind) {
                                        assert_false(seen[kernel.calls[i].first + w]);
                                        seen[kernel.calls[i].first + w] = true;
                                }
        }
}

static void words_side_by_side_share_a_call_and_gaps_are_not_bridged(void **state) {
        static const uint64_t words[] = { 10, 11, 12, 14, 20, 21 };
        struct damon_sample samples[ELEMENTSOF(words)];

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                map_folio(0, ADDR(i), add_folio(words[i] * 64 + i, 0));
                samples[i] = sample(0, ADDR(i));
        }
        mark(samples, ELEMENTSOF(words));
        assert_int_equal(count_calls(BITMAP_READ), 0);
        assert_int_equal(count_calls(BITMAP_WRITE), 3);
        assert_call(kernel.nr_calls - 3, BITMAP_WRITE, 10, 3);
        assert_call(kernel.nr_calls - 2, BITMAP_WRITE, 14, 1);
        assert_call(kernel.nr_calls - 1, BITMAP_WRITE, 20, 2);
        forget_calls();
        check(samples, ELEMENTSOF(words));
        assert_int_equal(count_calls(BITMAP_WRITE), 0);
        assert_int_equal(count_calls(BITMAP_READ), 3);
        assert_call(kernel.nr_calls - 3, BITMAP_READ, 10, 3);
        assert_call(kernel.nr_calls - 2, BITMAP_READ, 14, 1);
        assert_call(kernel.nr_calls - 1, BITMAP_READ, 20, 2);
}

/* kernfs moves 4096 bytes a call, and what is behind them would be lost. */
static void samples_are_looked_up_512_at_a_time(void **state) {
        static struct damon_sample samples[600];

        for (size_t i = 0; i < 600; i++) {
                map_folio(0, ADDR(i), add_folio(64 * (i + 3) + i % 64, 0));
                samples[i] = sample(0, ADDR(i));
        }
        forget_calls();
        mark(samples, 600);
        assert_int_equal(count_calls(BITMAP_WRITE), 2);
        assert_call(kernel.nr_calls - 1, BITMAP_WRITE, 515, 88);
        for (size_t i = 0; i < 600; i += 7)
                touch(0, ADDR(i));
        forget_calls();
        check(samples, 600);
        assert_int_equal(count_calls(BITMAP_READ), 2);
        for (size_t i = 0; i < 600; i++)
                assert_int_equal(samples[i].outcome, i % 7 == 0 ? DAMON_ACCESSED : DAMON_IDLE);
}

static void flags_are_read_at_the_check_only_for_what_is_not_idle(void **state) {
        struct damon_sample samples[50];

        for (size_t i = 0; i < 50; i++) {
                map_folio(0, ADDR(i), add_folio(100 + i, 0));
                samples[i] = sample(0, ADDR(i));
        }
        mark(samples, 50);
        forget_calls();
        check(samples, 50);
        assert_int_equal(count_calls(FLAGS_READ), 0);

        mark(samples, 50);
        touch(0, ADDR(7));
        touch(0, ADDR(23));
        forget_calls();
        check(samples, 50);
        assert_int_equal(count_calls(FLAGS_READ), 2);
        assert_call(kernel.nr_calls - 2, FLAGS_READ, 107, 1);
        assert_call(kernel.nr_calls - 1, FLAGS_READ, 123, 1);
}

static void samples_in_one_folio_agree(void **state) {
        struct folio *folio = add_folio(512, 9);
        struct damon_sample samples[6];

        add_target();
        map_folio(0, ADDR(512), folio);
        map_folio(1, ADDR(0), folio);
        for (size_t i = 0; i < 3; i++) {
                samples[i] = sample(0, ADDR(512 + 100 * i));
                samples[3 + i] = sample(1, ADDR(511 - 100 * i));
        }
        mark(samples, 6);
        check(samples, 6);
        for (size_t i = 0; i < 6; i++)
                assert_int_equal(samples[i].outcome, DAMON_IDLE);
        mark(samples, 6);
        touch(1, ADDR(300));
        check(samples, 6);
        for (size_t i = 0; i < 6; i++)
                assert_int_equal(samples[i].outcome, DAMON_ACCESSED);
        ASSERT_MARKED(512);
}

/* Samples of @pages take exactly these reads, and each gets its own entry. */
static void check_runs(uint64_t run, const uint64_t *pages, size_t nr, const struct call *reads,
                       size_t nr_reads) {
        struct damon_sample samples[64];

        test.files.pagemap_run = run;
        new_ops(false);
        for (size_t i = 0; i < nr; i++) {
                if (!pagemap_present(pte_of(0, ADDR(pages[i]))->entry))
                        map_folio(0, ADDR(pages[i]), add_folio(100 + pages[i], 0));
                samples[i] = sample(0, ADDR(pages[i]) + i);
        }
        for (unsigned round = 0; round < 2; round++) {
                forget_calls();
                mark(samples, nr);
                assert_int_equal(count_calls(PAGEMAP_READ), nr_reads);
                for (size_t i = 0; i < nr_reads; i++)
                        assert_call(i, PAGEMAP_READ, BASE / PAGE + reads[i].first, reads[i].nr);
                for (size_t i = round; i < nr; i += 2)
                        touch(0, ADDR(pages[i]));
                forget_calls();
                check(samples, nr);
                assert_int_equal(count_calls(PAGEMAP_READ), nr_reads);
                for (size_t i = 0; i < nr; i++)
                        assert_int_equal(samples[i].outcome,
                                         i % 2 == round ? DAMON_ACCESSED : DAMON_IDLE);
        }
}

static void neighbours_share_a_read_of_pagemap(void **state) {
        static const uint64_t near[] = { 0, 1, 5, 25, 45, 66, 200 };
        static const struct call near_reads[] = {
                { .first = 0, .nr = 46 }, { .first = 66, .nr = 1 }, { .first = 200, .nr = 1 },
        };
        static const uint64_t far[] = { 0, 511, 512, 600, 1023, 1535, 2047 };
        static const struct call far_reads[] = {
                { .first = 0, .nr = 512 }, { .first = 512, .nr = 512 },
                { .first = 1535, .nr = 1 }, { .first = 2047, .nr = 1 },
        };
        static const uint64_t disorder[] = { 10, 9, 30, 30 + 20, 5 };
        static const struct call disorder_reads[] = {
                { .first = 10, .nr = 1 }, { .first = 9, .nr = 1 },
                { .first = 30, .nr = 21 }, { .first = 5, .nr = 1 },
        };

        check_runs(20, near, ELEMENTSOF(near), near_reads, ELEMENTSOF(near_reads));
        check_runs(511, far, ELEMENTSOF(far), far_reads, ELEMENTSOF(far_reads));
        check_runs(20, disorder, ELEMENTSOF(disorder), disorder_reads, ELEMENTSOF(disorder_reads));
}

/* No more than 512 entries, however near the samples are. */
static void a_read_of_pagemap_has_an_end(void **state) {
        static struct damon_sample samples[2000];
        static const uint64_t runs[] = { 20, 511 };

        for (size_t i = 0; i < ELEMENTSOF(runs); i++) {
                test.files.pagemap_run = runs[i];
                new_ops(false);
                forget_calls();
                for (size_t k = 0; k < 2000; k++)
                        samples[k] = sample(0, ADDR(k));
                mark(samples, 2000);
                assert_int_equal(kernel.nr_calls, 4);
                for (size_t k = 0; k < 4; k++)
                        assert_call(k, PAGEMAP_READ, BASE / PAGE + 512 * k,
                                    k < 3 ? 512 : 2000 - 1536);
        }
}

static void targets_do_not_share_a_read_of_pagemap(void **state) {
        struct damon_sample samples[4];

        add_target();
        for (size_t i = 0; i < 4; i++) {
                map_folio(i / 2, ADDR(i), add_folio(100 + i, 0));
                samples[i] = sample(i / 2, ADDR(i));
        }
        mark(samples, 4);
        assert_call(0, PAGEMAP_READ, BASE / PAGE, 2);
        assert_call(1, PAGEMAP_READ, BASE / PAGE + 2, 2);
        touch(1, ADDR(2));
        check(samples, 4);
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(samples[i].outcome, i == 2 ? DAMON_ACCESSED : DAMON_IDLE);
}

static void signals_do_no_harm(void **state) {
        map_folio(0, ADDR(0), add_folio(100, 0));
        map_folio(0, ADDR(512), add_folio(512, 9));
        kernel.signals = true;
        for (unsigned i = 0; i < 5; i++) {
                assert_int_equal(OUTCOME(ADDR(0), touch(0, ADDR(0))), DAMON_ACCESSED);
                assert_int_equal(OUTCOME(ADDR(777), touch(0, ADDR(777))), DAMON_ACCESSED);
                assert_int_equal(OUTCOME(ADDR(777), NOTHING), DAMON_IDLE);
        }
}

static void a_file_that_fails_is_a_failure_of_the_operations(void **state) {
        struct damon_sample s = sample(0, ADDR(0));

        map_folio(0, ADDR(0), add_folio(100, 0));
        kernel.read_error = EIO;
        kernel.read_error_fd = kernel.flags_fd;
        ASSERT_ERROR(test.ops->mark(test.page_idle, &s, 1), EIO);
        kernel.read_error = 0;
        mark(&s, 1);
        kernel.read_error = EIO;
        kernel.read_error_fd = kernel.bitmap_fd;
        ASSERT_ERROR(test.ops->check(test.page_idle, &s, 1), EIO);
        kernel.read_error = 0;
        assert_int_equal(OUTCOME(ADDR(0), NOTHING), DAMON_IDLE);
}

static void a_page_map_that_fails_ends_its_target_only(void **state) {
        struct damon_sample s[2] = { sample(0, ADDR(0)) };

        add_target();
        s[1] = sample(1, ADDR(0));
        map_folio(0, ADDR(0), add_folio(100, 0));
        map_folio(1, ADDR(0), add_folio(101, 0));
        kernel.read_error = EIO;
        kernel.read_error_fd = kernel.spaces[0].fd;
        mark(s, 2);
        kernel.read_error = 0;
        check(s, 2);
        assert_true(test.targets[0]->gone);
        assert_false(test.targets[1]->gone);
        assert_int_equal(s[0].outcome, DAMON_UNKNOWN);
        assert_int_equal(s[1].outcome, DAMON_IDLE);
}

/* Two targets and hundreds of folios of all orders: every outcome right, no bit of others. */
static void random_folios_have_the_right_outcomes_and_no_other_bit_is_written(void **state) {
        static const unsigned orders[] = { 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 9 };
        static struct damon_sample samples[200];
        static bool touched[NR_FOLIOS];
        struct rng rng = { test_seed() };
        uint64_t page = 0, pfn = 64, nr_outcomes[4] = {};

        add_target();
        while (page + 1024 < NR_PAGES && kernel.nr_folios < NR_FOLIOS) {
                unsigned order = orders[rng_below(&rng, ELEMENTSOF(orders))];
                uint64_t nr = UINT64_C(1) << order;
                uint64_t who = rng_below(&rng, 3);
                struct folio *folio;

                pfn = (pfn + rng_below(&rng, 100) + nr - 1) & ~(nr - 1);
                folio = add_folio(pfn, order);
                folio->lru = rng_below(&rng, 5) > 0;
                if (who != 1)
                        map_folio(0, ADDR(page), folio);
                if (who != 0)           /* shared, at another address */
                        map_folio(1, ADDR(page + 7), folio);
                pfn += nr;
                page += nr + rng_below(&rng, 4);
        }

        for (unsigned round = 0; round < 200; round++) {
                size_t nr = 1 + (size_t) rng_below(&rng, ELEMENTSOF(samples));
                uint64_t marked[ELEMENTSOF(samples)];
                size_t nr_marked = 0;

                memset(kernel.marked, 0, sizeof(kernel.marked));
                memset(touched, 0, sizeof(touched));
                for (size_t i = 0; i < nr; i++) {
                        size_t target = i < nr / 2 ? 0 : 1;
                        uint64_t addr = ADDR(rng_below(&rng, page));
                        uint64_t entry = pte_of(target, addr)->entry;
                        struct folio *folio = folio_of(pagemap_pfn(entry));

                        samples[i] = sample(target, addr);
                        if (pagemap_present(entry) && folio->lru)
                                marked[nr_marked++] = folio->head;
                }
                mark(samples, nr);
                assert_marked(marked, nr_marked);
                for (unsigned i = 0; i < 300; i++) {
                        size_t target = (size_t) rng_below(&rng, 2);
                        uint64_t addr = ADDR(rng_below(&rng, page));
                        uint64_t entry = pte_of(target, addr)->entry;

                        if (!pagemap_present(entry))
                                continue;
                        touch(target, addr);
                        touched[folio_of(pagemap_pfn(entry)) - kernel.folios] = true;
                }
                forget_calls();
                check(samples, nr);
                assert_int_equal(count_calls(BITMAP_WRITE), 0);
                for (size_t i = 0; i < nr; i++) {
                        size_t target = samples[i].target == test.targets[0] ? 0 : 1;
                        uint64_t entry = pte_of(target, samples[i].addr)->entry;
                        struct folio *folio = folio_of(pagemap_pfn(entry));
                        enum damon_outcome expected;

                        if (!pagemap_present(entry))
                                expected = DAMON_ABSENT;
                        else if (!folio->lru)
                                expected = DAMON_UNKNOWN;
                        else if (touched[folio - kernel.folios])
                                expected = DAMON_ACCESSED;
                        else
                                expected = DAMON_IDLE;
                        assert_int_equal(samples[i].outcome, expected);
                        nr_outcomes[expected]++;
                }
                forget_calls();
        }
        for (size_t i = 0; i < ELEMENTSOF(nr_outcomes); i++)
                assert_true(nr_outcomes[i] > 500);
}

/* With an engine: else one target's mark would be read as another's. */
static void all_checks_of_a_step_come_before_its_marks(void **state) {
        static const struct damon_attrs attrs = { 5000, 100000, 1000000, 10, 100 };
        struct rng rng = { test_seed() };
        struct damon_engine *engine;
        unsigned nr_steps = 0;

        add_target();
        for (uint64_t pfn = 0; pfn < 256; pfn++)
                add_folio(pfn, 0);
        kernel.spaces[0].full = kernel.spaces[1].full = true;
        kernel.present[0] = (struct damon_range) { 0, UINT64_MAX / PAGE * PAGE };
        kernel.nr_present = 1;
        ASSERT_OK(damon_engine_new(&engine, &attrs, test.ops, test.page_idle,
                                   &(struct damon_env) { rng_below, &rng }));
        for (size_t i = 0; i < 2; i++) {
                ASSERT_OK(damon_engine_add_target(engine, test.targets[i]));
                test.targets[i] = NULL;
        }
        for (unsigned i = 0; i < 45; i++) {
                struct damon_step step;
                bool marks = false, checks = false;

                forget_calls();
                ASSERT_OK(damon_engine_step(engine, 1, false, &step));
                assert_int_equal(step.nr_gone, 0);
                for (size_t k = 0; k < kernel.nr_calls; k++) {
                        marks |= kernel.calls[k].kind == BITMAP_WRITE;
                        checks |= kernel.calls[k].kind == BITMAP_READ;
                        assert_false(marks && kernel.calls[k].kind == BITMAP_READ);
                }
                nr_steps += marks && checks;
        }
        damon_engine_free(engine);
        assert_true(nr_steps >= 40);
}

/* mappings */

static bool covers(const struct damon_range *ranges, size_t nr, const void *p) {
        for (size_t i = 0; i < nr; i++)
                if (ranges[i].start <= (uintptr_t) p && (uintptr_t) p < ranges[i].end)
                        return true;
        return false;
}

static void mappings_are_those_of_the_process(void **state) {
        const struct damon_range *ranges = NULL;
        size_t nr = 0;
        int local = 0;

        ASSERT_OK(test.ops->mappings(test.page_idle, test.targets[0], &ranges, &nr));
        assert_false(test.targets[0]->gone);
        assert_true(nr > 3);
        assert_true(covers(ranges, nr, &local));
        assert_true(covers(ranges, nr, &kernel));
        for (size_t i = 1; i < nr; i++)
                assert_true(ranges[i - 1].end <= ranges[i].start);
}

static void mappings_of_an_address_space_that_ended_are_gone(void **state) {
        const struct damon_range *ranges;
        size_t nr;

        kernel.spaces[0].ended = true;
        ASSERT_OK(test.ops->mappings(test.page_idle, test.targets[0], &ranges, &nr));
        assert_true(test.targets[0]->gone);
}

/* what is in memory */

static size_t resident(size_t target, const struct damon_range **ret_ranges) {
        size_t nr = SIZE_MAX;

        ASSERT_OK(test.ops->resident(test.page_idle, test.targets[target], ret_ranges, &nr));
        return nr;
}

static void add_regions(size_t target, uint64_t size) {
        ASSERT_OK(damon_regions_append(&test.targets[target]->regions,
                                       (struct damon_range) { BASE, BASE + size }));
}

static void assert_not_known(size_t target) {
        const struct damon_range *ranges = &kernel.present[0];

        assert_int_equal(resident(target, &ranges), 0);
        assert_null(ranges);
        assert_false(test.targets[target]->gone);
}

static void what_is_in_memory_is_found_by_the_page_map(void **state) {
        const struct damon_range *ranges;

        add_target();
        for (size_t i = 0; i < 2; i++)
                add_regions(i, 64 * MIB);
        kernel.present[0] = (struct damon_range) { ADDR(1), ADDR(5) };
        kernel.present[1] = (struct damon_range) { ADDR(1000), ADDR(1001) };
        kernel.nr_present = 2;
        kernel.scan_cost = 1000000;
        kernel.later = 1000;
        assert_int_equal(resident(1, &ranges), 2);
        assert_memory_equal(ranges, kernel.present, 2 * sizeof(ranges[0]));
        assert_int_equal(kernel.scanned_fd, kernel.spaces[1].fd);
        kernel.nr_present = 1;
        assert_int_equal(resident(0, &ranges), 1);
        assert_int_equal(kernel.scanned_fd, kernel.spaces[0].fd);
        assert_int_equal(kernel.nr_scans, 2);

        /* each target has its own, and it is not looked for again at once */
        assert_int_equal(resident(1, &ranges), 2);
        assert_int_equal(ranges[1].start, ADDR(1000));
        assert_int_equal(kernel.nr_scans, 2);
        kernel.later += 2;
        assert_int_equal(resident(1, &ranges), 1);
        assert_int_equal(kernel.nr_scans, 3);
}

static void nothing_in_memory_is_known(void **state) {
        const struct damon_range *ranges = NULL;

        add_regions(0, 64 * MIB);
        assert_int_equal(resident(0, &ranges), 0);
        assert_non_null(ranges);
}

static void a_kernel_that_cannot_tell_is_asked_once(void **state) {
        add_target();
        for (size_t i = 0; i < 2; i++)
                add_regions(i, 64 * MIB);
        kernel.scan_error = ENOTTY;
        for (int i = 0; i < 3; i++) {
                assert_not_known(0);
                assert_not_known(1);
                kernel.later += 3600;
        }
        assert_int_equal(kernel.nr_scans, 1);
}

/* What was found once is not held to be true for ever. */
static void while_walks_fail_nothing_is_known(void **state) {
        const struct damon_range *ranges;

        add_regions(0, 64 * MIB);
        kernel.present[0] = (struct damon_range) { ADDR(1), ADDR(5) };
        kernel.nr_present = 1;
        assert_int_equal(resident(0, &ranges), 1);
        kernel.scan_error = EACCES;
        for (size_t i = 0; i < 3; i++) {
                kernel.later += 3600;
                assert_not_known(0);
                assert_int_equal(kernel.nr_scans, 2 + i);
        }
        kernel.scan_error = 0;
        kernel.later += 3600;
        assert_int_equal(resident(0, &ranges), 1);
        assert_non_null(ranges);

        kernel.scan_error = ENOTTY;
        for (size_t i = 0; i < 3; i++) {
                kernel.later += 3600;
                assert_not_known(0);
                assert_int_equal(kernel.nr_scans, 6);
        }
}

static void an_address_space_that_ended_in_a_walk_is_gone_and_harms_no_other(void **state) {
        const struct damon_range *ranges;

        add_target();
        for (size_t i = 0; i < 2; i++)
                add_regions(i, 64 * MIB);
        kernel.scan_error = ESRCH;
        (void) resident(0, &ranges);
        assert_true(test.targets[0]->gone);
        kernel.scan_error = 0;
        (void) resident(1, &ranges);
        assert_int_equal(kernel.nr_scans, 2);
        assert_false(test.targets[1]->gone);
}

static void a_walk_without_memory_is_a_failure_of_the_operations(void **state) {
        const struct damon_range *ranges;
        size_t nr;

        add_regions(0, 64 * MIB);
        kernel.scan_error = ENOMEM;
        ASSERT_ERROR(test.ops->resident(test.page_idle, test.targets[0], &ranges, &nr), ENOMEM);
        assert_false(test.targets[0]->gone);
        /* which may be over by the next time */
        kernel.scan_error = 0;
        (void) resident(0, &ranges);
        assert_int_equal(kernel.nr_scans, 2);
}

static void walks_take_a_thousandth_of_the_time(void **state) {
        const struct damon_range *ranges;
        const uint64_t nr_steps = 1000;
        size_t nr_before;

        add_target();
        for (size_t i = 0; i < 2; i++)
                add_regions(i, nr_steps * 256 * MIB);
        kernel.scan_cost = 3000000;

        /* since boot there was time enough for all that can be saved up: 10 ms */
        kernel.later = 1000;
        assert_not_known(0);
        assert_int_equal(kernel.nr_scans, 4);
        assert_not_known(0);
        assert_not_known(1);
        assert_int_equal(kernel.nr_scans, 4);

        /* 2 ms are owed; 6 s later there are 4 ms to spend, whoever asks first */
        kernel.later += 6;
        assert_not_known(1);
        assert_int_equal(kernel.nr_scans, 6);
        assert_not_known(0);
        assert_int_equal(kernel.nr_scans, 6);

        /* a day without an update does not count but for 10 ms */
        kernel.later += 86400;
        assert_not_known(0);
        assert_int_equal(kernel.nr_scans, 10);

        nr_before = kernel.nr_scans;
        for (int i = 0; i < 1200; i++) {
                kernel.later++;
                (void) resident(0, &ranges);
        }
        assert_in_range(kernel.nr_scans - nr_before, 390, 410);
        assert_true(page_idle_update_time(test.page_idle) >= kernel.nr_scans * kernel.scan_cost);
}

/* apply */

/*
 * Real mappings, for the target's maps file. They are put far below where the kernel puts
 * what others ask for, so that a hole stays a hole.
 */
struct area {
        uint64_t start;
        uint64_t size;
};

static struct area reserve(void) {
        const uint64_t size = 16 * GIB;
        struct area area = { .size = size / 2 };
        void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        assert_true(p != MAP_FAILED);
        assert_int_equal(munmap(p, size), 0);
        area.start = ((uintptr_t) p + GIB - 1) & ~(GIB - 1);
        kernel.spaces[0].first = area.start / PAGE;
        return area;
}

/* Two kinds of mappings, as two of one kind would become one. Nothing is ever touched. */
static void map_at(uint64_t start, uint64_t size, unsigned kind) {
        void *p = (void *) (uintptr_t) start;

        assert_true(mmap(p, size, kind % 2 == 0 ? PROT_NONE : PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
                         0) == p);
}

static void unmap_area(struct area *area) {
        assert_int_equal(munmap((void *) (uintptr_t) area->start, area->size), 0);
}

#define _cleanup_area_ _cleanup_(unmap_area)

static uint64_t apply_time;             /* of the last one, nanoseconds */

static int apply_within(uint64_t limit, enum damos_action action, struct damos_try *tries, size_t nr) {
        for (size_t i = 0; i < nr; i++)
                tries[i].sz_applied = 0;
        return test.ops->apply(test.page_idle, test.targets[0], action, tries, nr, limit, &apply_time);
}

static int apply(enum damos_action action, struct damos_try *tries, size_t nr) {
        return apply_within(UINT64_MAX, action, tries, nr);
}

static void assert_applied(const struct damon_range *ranges, size_t nr) {
        assert_int_equal(kernel.nr_applied, nr);
        for (size_t i = 0; i < nr; i++) {
                assert_int_equal(kernel.applied[i].start, ranges[i].start);
                assert_int_equal(kernel.applied[i].end, ranges[i].end);
        }
}

#define ASSERT_APPLIED(...) \
        assert_applied((const struct damon_range[]) { __VA_ARGS__ }, \
                       ELEMENTSOF(((const struct damon_range[]) { __VA_ARGS__ })))

static struct damos_try try_of(uint64_t start, uint64_t end) {
        return (struct damos_try) { .range = { start, end } };
}

static void forget_applied(void) {
        kernel.nr_applied = 0;
        kernel.nr_madvise_calls = 0;
}

static void an_action_is_the_advice_of_its_name(void **state) {
        static const struct {
                enum damos_action action;
                int advice;
        } cases[] = {
                { DAMOS_WILLNEED, MADV_WILLNEED },
                { DAMOS_COLD, MADV_COLD },
                { DAMOS_PAGEOUT, MADV_PAGEOUT },
        };
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_of(area.start, area.start + GRAIN);

        map_at(area.start, GRAIN, 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                forget_applied();
                ASSERT_OK(apply(cases[i].action, &try, 1));
                assert_int_equal(kernel.nr_madvise_calls, 1);
                assert_int_equal(kernel.madvise_calls[0].advice, cases[i].advice);
                ASSERT_APPLIED(try.range);
                assert_int_equal(try.sz_applied, GRAIN);
        }
        assert_true(page_idle_action_time(test.page_idle) > 0);
}

/* It is the wall's clock that tells how long, as an action may have to wait. */
static void waiting_is_part_of_the_time_of_an_action(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_of(area.start, area.start + GRAIN);

        map_at(area.start, GRAIN, 0);
        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        assert_in_range(apply_time, 1, 1000000000);
        kernel.madvise_takes = 3;
        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        assert_in_range(apply_time, UINT64_C(3000000000), UINT64_C(4000000000));
}

/* 2 grains, 1 grain, a hole of 1, 3 grains, a hole, 1 grain */
static uint64_t map_some(const struct area *area) {
        uint64_t start = area->start + MIB;

        map_at(start, 2 * GRAIN, 0);
        map_at(start + 2 * GRAIN, GRAIN, 1);
        map_at(start + 4 * GRAIN, 3 * GRAIN, 0);
        map_at(start + 10 * GRAIN, GRAIN, 0);
        return start;
}

static void pieces_end_where_mappings_end(void **state) {
        _cleanup_area_ struct area area = reserve();
        uint64_t start = map_some(&area);
        struct damos_try try = try_of(start + PAGE, start + 6 * GRAIN);

        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        ASSERT_APPLIED({ start + PAGE, start + 2 * GRAIN },
                       { start + 2 * GRAIN, start + 3 * GRAIN },
                       { start + 4 * GRAIN, start + 6 * GRAIN });
        assert_int_equal(kernel.nr_madvise_calls, 1);
        assert_int_equal(try.sz_applied, 5 * GRAIN - PAGE);
}

static void several_tries_get_what_was_done_of_each(void **state) {
        _cleanup_area_ struct area area = reserve();
        uint64_t start = map_some(&area);
        struct damos_try tries[] = {
                try_of(start - GRAIN, start),                   /* no mapping */
                try_of(start, start + PAGE),
                try_of(start + 2 * PAGE, start + 5 * GRAIN),
                try_of(start + 5 * GRAIN, start + 6 * GRAIN),
                try_of(start + 8 * GRAIN, start + 9 * GRAIN),   /* a hole */
                try_of(start + 9 * GRAIN, start + 20 * GRAIN),
                try_of(start + 30 * GRAIN, start + 40 * GRAIN),
        };
        static const uint64_t done[] = {
                0, PAGE, 4 * GRAIN - 2 * PAGE, GRAIN, 0, GRAIN, 0,
        };

        ASSERT_OK(apply(DAMOS_COLD, tries, ELEMENTSOF(tries)));
        for (size_t i = 0; i < ELEMENTSOF(tries); i++)
                assert_int_equal(tries[i].sz_applied, done[i]);
        ASSERT_APPLIED({ start, start + PAGE },
                       { start + 2 * PAGE, start + 2 * GRAIN },
                       { start + 2 * GRAIN, start + 3 * GRAIN },
                       { start + 4 * GRAIN, start + 5 * GRAIN },
                       { start + 5 * GRAIN, start + 6 * GRAIN },
                       { start + 10 * GRAIN, start + 11 * GRAIN });
}

static void where_nothing_is_mapped_there_is_no_call(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_of(area.start, area.start + GIB);

        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        ASSERT_OK(apply(DAMOS_PAGEOUT, NULL, 0));
        assert_int_equal(kernel.nr_madvise_calls, 0);
        assert_int_equal(try.sz_applied, 0);
        assert_false(test.targets[0]->gone);
}

static void more_than_1024_pieces_take_several_calls(void **state) {
        static struct damos_try tries[2];
        _cleanup_area_ struct area area = reserve();

        for (size_t i = 0; i < 2500; i++)
                map_at(area.start + i * GRAIN, GRAIN, (unsigned) i);
        tries[0] = try_of(area.start, area.start + 1500 * GRAIN);
        tries[1] = try_of(area.start + 1500 * GRAIN, area.start + 2500 * GRAIN);
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, 2));
        assert_int_equal(kernel.nr_madvise_calls, 3);
        assert_int_equal(kernel.madvise_calls[0].nr, 1024);
        assert_int_equal(kernel.madvise_calls[1].nr, 1024);
        assert_int_equal(kernel.madvise_calls[2].nr, 2500 - 2048);
        assert_int_equal(kernel.nr_applied, 2500);
        assert_int_equal(tries[0].sz_applied, 1500 * GRAIN);
        assert_int_equal(tries[1].sz_applied, 1000 * GRAIN);
}

/* Of more than 2 GiB - 4 KiB a call does the beginning only. */
static void large_ranges_are_cut_and_no_call_is_too_large(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[] = {
                try_of(area.start + PAGE, area.start + 3 * GIB + 512 * MIB),
                try_of(area.start + 4 * GIB, area.start + 4 * GIB + 600 * MIB),
                try_of(area.start + 5 * GIB, area.start + 5 * GIB + 600 * MIB),
        };
        uint64_t done = 0;

        map_at(area.start, 6 * GIB, 0);
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, ELEMENTSOF(tries)));
        for (size_t i = 0; i < ELEMENTSOF(tries); i++)
                assert_int_equal(tries[i].sz_applied, damon_range_size(&tries[i].range));
        for (size_t i = 0; i < kernel.nr_madvise_calls; i++)
                assert_true(kernel.madvise_calls[i].size <= MAX_RW_COUNT);
        for (size_t i = 0; i < kernel.nr_applied; i++) {
                assert_true(damon_range_size(&kernel.applied[i]) <= ADVISE_PIECE_MAX);
                done += damon_range_size(&kernel.applied[i]);
        }
        assert_int_equal(done, 3 * GIB + 512 * MIB - PAGE + 1200 * MIB);
        assert_in_range(kernel.nr_madvise_calls, 3, 6);
}

/* The kernel stops at what it cannot do; the rest is asked for again. */
static void a_refused_piece_is_passed_over(void **state) {
        static const int errors[] = { ENOMEM, EINVAL, EFAULT, EAGAIN };
        /* the 2nd of the first try, the whole second, the very last piece */
        static const unsigned refused[] = { 1, 3, 4, 5, 11 };
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[4];

        for (unsigned i = 0; i < 12; i++)
                map_at(area.start + i * GRAIN, GRAIN, i);
        for (size_t i = 0; i < ELEMENTSOF(tries); i++)
                tries[i] = try_of(area.start + 3 * i * GRAIN, area.start + 3 * (i + 1) * GRAIN);
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                kernel.refusals[i].range = (struct damon_range) {
                        area.start + refused[i] * GRAIN, area.start + (refused[i] + 1) * GRAIN,
                };
        kernel.nr_refusals = ELEMENTSOF(refused);

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                forget_applied();
                for (size_t k = 0; k < kernel.nr_refusals; k++)
                        kernel.refusals[k].error = errors[i];
                ASSERT_OK(apply(DAMOS_COLD, tries, ELEMENTSOF(tries)));
                assert_int_equal(tries[0].sz_applied, 2 * GRAIN);
                assert_int_equal(tries[1].sz_applied, 0);
                assert_int_equal(tries[2].sz_applied, 3 * GRAIN);
                assert_int_equal(tries[3].sz_applied, 2 * GRAIN);
                assert_int_equal(kernel.nr_applied, 7);
                assert_false(test.targets[0]->gone);
        }
}

static void a_call_that_does_a_part_is_continued(void **state) {
        static const uint64_t most[] = { GRAIN, 2 * GRAIN, 3 * GRAIN + PAGE, 5 * GRAIN - PAGE };
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[2];

        for (unsigned i = 0; i < 10; i++)
                map_at(area.start + i * GRAIN, GRAIN, i);
        tries[0] = try_of(area.start, area.start + 4 * GRAIN);
        tries[1] = try_of(area.start + 4 * GRAIN, area.start + 10 * GRAIN);
        for (size_t i = 0; i < ELEMENTSOF(most); i++) {
                forget_applied();
                kernel.madvise_max = most[i];
                ASSERT_OK(apply(DAMOS_PAGEOUT, tries, 2));
                assert_int_equal(tries[0].sz_applied, 4 * GRAIN);
                assert_int_equal(tries[1].sz_applied, 6 * GRAIN);
        }
}

static void a_call_that_does_nothing_or_half_a_piece_is_not_repeated_for_ever(void **state) {
        static const uint64_t most[] = { 0, PAGE };
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_of(area.start, area.start + 3 * GRAIN);

        for (unsigned i = 0; i < 3; i++)
                map_at(area.start + i * GRAIN, GRAIN, i);
        for (size_t i = 0; i < ELEMENTSOF(most); i++) {
                forget_applied();
                kernel.madvise_max = most[i];
                ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
                assert_int_equal(try.sz_applied, 0);
                assert_true(kernel.nr_madvise_calls <= 3);
        }
}

/* 2500 pieces, so that the second call can be told from the first */
static int apply_with_error(const struct area *area, int e, size_t from, uint64_t *ret_done) {
        struct damos_try try = try_of(area->start, area->start + 2500 * GRAIN);
        int r;

        forget_applied();
        kernel.madvise_error = e;
        kernel.madvise_error_from = from;
        r = apply(DAMOS_PAGEOUT, &try, 1);
        *ret_done = try.sz_applied;
        return r;
}

static void errors_about_the_process_end_the_work(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damon_target *target = test.targets[0];
        uint64_t done;

        for (size_t i = 0; i < 2500; i++)
                map_at(area.start + i * GRAIN, GRAIN, (unsigned) i);

        /* protected by a security module: neither gone nor a failure */
        ASSERT_OK(apply_with_error(&area, EACCES, 0, &done));
        assert_int_equal(done, 0);
        assert_int_equal(kernel.nr_madvise_calls, 1);
        assert_false(target->gone);

        ASSERT_ERROR(apply_with_error(&area, EPERM, 0, &done), EPERM);
        assert_int_equal(kernel.nr_madvise_calls, 1);
        assert_false(target->gone);
        ASSERT_ERROR(apply_with_error(&area, ENOSYS, 0, &done), ENOSYS);
        assert_false(target->gone);

        /* what was done before counts */
        ASSERT_OK(apply_with_error(&area, ESRCH, 1, &done));
        assert_int_equal(done, 1024 * GRAIN);
        assert_int_equal(kernel.nr_madvise_calls, 2);
        assert_true(target->gone);
        target->gone = false;
        ASSERT_OK(apply_with_error(&area, ESRCH, 0, &done));
        assert_int_equal(done, 0);
        assert_true(target->gone);
}

static void signals_during_an_action_do_no_harm(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_of(area.start, area.start + GRAIN);

        map_at(area.start, GRAIN, 0);
        kernel.signals = true;
        for (unsigned i = 0; i < 5; i++) {
                ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
                assert_int_equal(try.sz_applied, GRAIN);
        }
}

static void a_dry_run_calls_nothing(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_of(area.start, area.start + GRAIN);

        new_ops(true);
        assert_true(test.ops->dry_run);
        map_at(area.start, GRAIN, 0);
        for (enum damos_action action = 0; action < _DAMOS_ACTION_MAX; action++)
                if (action != DAMOS_STAT && (PAGE_IDLE_ACTIONS & DAMOS_ACTION_BIT(action)))
                        ASSERT_OK(apply(action, &try, 1));
        assert_int_equal(kernel.nr_madvise_calls, 0);
        assert_int_equal(try.sz_applied, 0);
        kernel.spaces[0].ended = true;
        ASSERT_OK(apply(DAMOS_COLD, &try, 1));
        assert_true(test.targets[0]->gone);
}

static void another_program_than_was_watched_is_not_acted_on(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct process *process = test.targets[0]->ops_data;
        const struct process_image image = process->image;
        struct damos_try try = try_of(area.start, area.start + GRAIN);

        map_at(area.start, GRAIN, 0);
        for (unsigned i = 0; i < 5; i++) {
                process->image = image;
                kernel.spaces[0].ended = i == 4;
                process->image.start_time += i == 0;
                process->image.start_code += i == 1;
                process->image.start_stack += i == 2;
                process->image.arg_start += i == 3;
                ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
                assert_true(test.targets[0]->gone);
                assert_int_equal(kernel.nr_madvise_calls, 0);
                test.targets[0]->gone = false;
        }
        kernel.spaces[0].ended = false;
        process->image = image;
        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        assert_false(test.targets[0]->gone);
        assert_int_equal(try.sz_applied, GRAIN);
}

/* A folio has one flag: where a part of it is outside, nothing says the part inside is cold. */
static void a_folio_across_the_border_of_a_range_is_left_out_of_what_splits_it(void **state) {
        static const unsigned orders[] = { 1, 2, 4, 9 };
        static const enum damos_action splitting[] = { DAMOS_COLD, DAMOS_PAGEOUT };
        _cleanup_area_ struct area area = reserve();
        uint64_t base = area.start + 2 * MIB;

        map_at(area.start, 16 * MIB, 0);
        for (size_t i = 0; i < ELEMENTSOF(orders); i++) {
                uint64_t nr = UINT64_C(1) << orders[i], size = nr * PAGE;

                /* two of them with 8 MiB between their starts */
                map_folio(0, base, add_folio(8192 * (i + 1), orders[i]));
                map_folio(0, base + 8 * MIB, add_folio(8192 * (i + 1) + 4096, orders[i]));
                for (uint64_t k = 0; k <= nr; k += MAX(nr / 32, UINT64_C(1))) {
                        struct damos_try try = try_of(base + k * PAGE, base + 8 * MIB + k * PAGE);
                        uint64_t start = k == 0 ? base : base + size;
                        uint64_t end = k == nr ? base + 8 * MIB + size : base + 8 * MIB;

                        for (size_t a = 0; a < ELEMENTSOF(splitting); a++) {
                                forget_applied();
                                ASSERT_OK(apply(splitting[a], &try, 1));
                                ASSERT_APPLIED({ start, end });
                                assert_int_equal(try.sz_applied, end - start);
                        }
                        forget_applied();
                        ASSERT_OK(apply(DAMOS_WILLNEED, &try, 1));
                        ASSERT_APPLIED(try.range);
                }
                for (uint64_t k = 0; k < nr; k++) {
                        set_entry(0, base + k * PAGE, 0);
                        set_entry(0, base + 8 * MIB + k * PAGE, 0);
                }
        }
}

static void a_range_inside_of_a_folio_is_left_out(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[] = {
                try_of(area.start + 100 * PAGE, area.start + 200 * PAGE),
                try_of(area.start + 511 * PAGE, area.start + 512 * PAGE),
                try_of(area.start + 600 * PAGE, area.start + 601 * PAGE),
        };

        map_at(area.start, 4 * MIB, 0);
        map_folio(0, area.start, add_folio(512, 9));
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, ELEMENTSOF(tries)));
        ASSERT_APPLIED(tries[2].range);
        assert_int_equal(tries[0].sz_applied, 0);
        assert_int_equal(tries[1].sz_applied, 0);
        assert_int_equal(tries[2].sz_applied, PAGE);
}

static void adjacent_ranges_are_as_one(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[] = {
                try_of(area.start + 100 * PAGE, area.start + 600 * PAGE),
                try_of(area.start + 600 * PAGE, area.start + 700 * PAGE),
                try_of(area.start + 700 * PAGE, area.start + 1200 * PAGE),
        };

        map_at(area.start, 16 * MIB, 0);
        for (uint64_t i = 0; i < 3; i++)        /* pages 0 to 1536 */
                map_folio(0, area.start + 512 * i * PAGE, add_folio(512 * (i + 1), 9));
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, ELEMENTSOF(tries)));
        ASSERT_APPLIED({ area.start + 512 * PAGE, area.start + 1024 * PAGE });
        assert_int_equal(tries[0].sz_applied, 0);
        assert_int_equal(tries[1].sz_applied, 0);
        assert_int_equal(tries[2].sz_applied, 512 * PAGE);
}

static struct damos_filter not_shared = { .type = DAMOS_FILTER_SHARED, .matching = true };
static const struct damos_filters unshared = { &not_shared, 1 };

/* Pages 1, 2 and 5 in the second of two mappings are shared with others. */
static struct damos_try try_shared_pages(const struct area *area) {
        struct damos_try try = try_of(area->start, area->start + 2 * GRAIN);

        map_at(area->start, GRAIN, 0);
        map_at(area->start + GRAIN, GRAIN, 1);
        for (uint64_t i = 0; i < GRAIN / PAGE; i++) {
                add_folio(100 + i, 0);
                set_entry(0, area->start + GRAIN + i * PAGE, PAGEMAP_PRESENT | (100 + i) |
                          (i == 1 || i == 2 || i == 5 ? 0 : PAGEMAP_EXCLUSIVE));
        }
        try.filters = &unshared;
        return try;
}

static void what_filters_hold_back_is_left_out_and_counted(void **state) {
        _cleanup_area_ struct area area = reserve();
        uint64_t start = area.start + GRAIN;
        struct damos_try tries[] = {
                try_of(area.start, start + 2 * PAGE),
                try_of(start + 2 * PAGE, start + 4 * PAGE),
                try_of(start + 4 * PAGE, start + 8 * PAGE),
        };

        tries[0].filters = tries[2].filters = try_shared_pages(&area).filters;
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, ELEMENTSOF(tries)));
        ASSERT_APPLIED({ area.start, start }, { start, start + PAGE }, { start + 2 * PAGE, start + 4 * PAGE },
                       { start + 4 * PAGE, start + 5 * PAGE }, { start + 6 * PAGE, start + 8 * PAGE });
        assert_int_equal(tries[0].sz_filtered, PAGE);
        assert_int_equal(tries[0].sz_applied, GRAIN + PAGE);
        assert_int_equal(tries[1].sz_filtered, 0);
        assert_int_equal(tries[1].sz_applied, 2 * PAGE);
        assert_int_equal(tries[2].sz_filtered, PAGE);
        assert_int_equal(tries[2].sz_applied, 3 * PAGE);
}

/* What was not begun is left, and when it is tried later, all of it counts once. */
static void what_there_is_no_time_for_is_left(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[] = {
                try_shared_pages(&area), try_of(area.start + 2 * GRAIN, area.start + 3 * MIB),
                try_of(area.start + 4 * MIB, area.start + 5 * MIB),
        };
        const uint64_t size = 4 * MIB - 3 * PAGE;
        uint64_t sz_applied = 0, sz_filtered = 0, start = area.start;
        size_t nr_rounds = 0;

        map_at(area.start + 2 * GRAIN, 6 * MIB, 2);
        tries[2].filters = tries[0].filters;
        /* each call takes so long that the next one is not begun */
        kernel.madvise_takes = 1;
        while (start < area.start + 5 * MIB) {
                struct damos_try rest[ELEMENTSOF(tries)];
                size_t nr = 0;

                forget_applied();
                for (size_t i = 0; i < ELEMENTSOF(tries); i++) {
                        rest[nr] = tries[i];
                        rest[nr].range.start = MAX(rest[nr].range.start, start);
                        nr += rest[nr].range.start < rest[nr].range.end;
                }
                ASSERT_OK(apply_within(1, DAMOS_WILLNEED, rest, nr));
                assert_int_equal(kernel.nr_madvise_calls, 1);
                for (size_t i = 0; i < nr; i++) {
                        bool is_left = i > 0 && rest[i - 1].sz_left > 0;

                        assert_true(!is_left || rest[i].sz_left == damon_range_size(&rest[i].range));
                        if (rest[i].sz_left == damon_range_size(&rest[i].range))
                                continue;
                        start = rest[i].range.end - rest[i].sz_left;
                        sz_applied += rest[i].sz_applied;
                        sz_filtered += rest[i].sz_filtered;
                        assert_int_equal(start - rest[i].range.start, rest[i].sz_applied + rest[i].sz_filtered);
                }
                nr_rounds++;
        }
        assert_int_equal(sz_applied, size);
        assert_int_equal(sz_filtered, 3 * PAGE);
        /* 64 KiB each, or less before something that is left out */
        assert_in_range(nr_rounds, size / (64 * KIB), 8 + size / (64 * KIB));
}

static void filters_count_also_where_nothing_is_done(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_shared_pages(&area);

        ASSERT_OK(apply(DAMOS_STAT, &try, 1));
        assert_int_equal(try.sz_filtered, 3 * PAGE);
        page_idle_target_free(test.targets[0]);
        test.targets[0] = NULL;
        kernel.nr_spaces = 0;
        new_ops(true);
        add_target();
        kernel.spaces[0].first = area.start / PAGE;
        try.sz_filtered = 0;
        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        assert_int_equal(try.sz_filtered, 3 * PAGE);
        assert_int_equal(try.sz_applied, 0);
        assert_int_equal(kernel.nr_madvise_calls, 0);
}

/* The idle flag is the one that the rest of the operations uses. */
static void a_young_page_is_left_out_once(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_filter filter = { .type = DAMOS_FILTER_YOUNG, .matching = true };
        struct damos_filters filters = { &filter, 1 };
        struct damos_try try = try_of(area.start, area.start + 3 * PAGE);
        static const uint64_t marked[] = { 100, 101, 102 };

        map_at(area.start, GRAIN, 0);
        for (uint64_t i = 0; i < 3; i++) {
                add_folio(100 + i, 0);
                map_frame(0, area.start + i * PAGE, 100 + i);
        }
        try.filters = &filters;
        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        assert_int_equal(kernel.nr_applied, 0);
        assert_int_equal(try.sz_filtered, 3 * PAGE);
        assert_marked(marked, 3);
        touch(0, area.start + PAGE);
        for (uint64_t again = 0; again < 2; again++) {
                try.sz_filtered = 0;
                forget_applied();
                ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
                if (again)
                        ASSERT_APPLIED(try.range);
                else
                        ASSERT_APPLIED({ area.start, area.start + PAGE },
                                       { area.start + 2 * PAGE, area.start + 3 * PAGE });
                assert_int_equal(try.sz_filtered, again ? 0 : PAGE);
        }
}

static void a_process_that_ends_while_it_is_looked_at_is_gone(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try try = try_shared_pages(&area);

        kernel.read_error = EIO;
        kernel.read_error_fd = kernel.spaces[0].fd;
        ASSERT_OK(apply(DAMOS_STAT, &try, 1));
        assert_true(test.targets[0]->gone);
}

/* What of it is in memory stayed there so as not to split a folio; but what goes with a neighbour has not. */
static void what_is_left_out_of_a_folio_is_refused_for_that(void **state) {
        _cleanup_area_ struct area area = reserve();
        struct damos_try tries[] = {
                try_of(area.start + 100 * PAGE, area.start + 600 * PAGE),
                try_of(area.start + 600 * PAGE, area.start + 700 * PAGE),
                try_of(area.start + 700 * PAGE, area.start + 1200 * PAGE),
        };
        static const uint64_t left_out[] = { 412, 0, 176 };

        map_at(area.start, 16 * MIB, 0);
        for (uint64_t i = 0; i < 3; i++)        /* pages 0 to 1536 */
                map_folio(0, area.start + 512 * i * PAGE, add_folio(512 * (i + 1), 9));
        kernel.present[0] = (struct damon_range) { area.start, area.start + 1536 * PAGE };
        kernel.nr_present = 1;
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, ELEMENTSOF(tries)));
        for (size_t i = 0; i < ELEMENTSOF(tries); i++)
                assert_int_equal(tries[i].outcome.sz_refused[DAMOS_REFUSED_SPLIT], left_out[i] * PAGE);
        /* the simulated kernel keeps what it was advised on, and does not say why */
        assert_int_equal(tries[2].outcome.sz_refused[DAMOS_REFUSED_OTHER], 512 * PAGE);

        new_ops(true);
        tries[0] = try_of(area.start + 100 * PAGE, area.start + 600 * PAGE);
        ASSERT_OK(apply(DAMOS_PAGEOUT, tries, 1));
        assert_int_equal(damos_outcome_refused(&tries[0].outcome), 0);
}

/* What comes back is looked for in the page map; that it takes time is the actions' matter. */
static void presence_is_counted_and_its_end_noticed(void **state) {
        const struct damon_range range = { ADDR(0), ADDR(100) };
        uint64_t size, before;

        add_target();
        kernel.present[0] = (struct damon_range) { ADDR(90), ADDR(200) };
        kernel.nr_present = 1;
        kernel.scan_cost = 1000000;
        before = page_idle_action_time(test.page_idle);
        ASSERT_OK(test.ops->present(test.page_idle, test.targets[0], range, &size));
        assert_int_equal(size, 10 * PAGE);
        assert_true(page_idle_action_time(test.page_idle) - before >= kernel.scan_cost);

        kernel.scan_error = ESRCH;
        ASSERT_OK(test.ops->present(test.page_idle, test.targets[0], range, &size));
        assert_true(test.targets[0]->gone);
}

/* Further from the head than from address 0: nothing may be acted on but the range. */
static void a_folio_that_begins_before_address_0_is_left_out(void **state) {
        const uint64_t start = 256 * MIB, size = 16 * MIB;
        struct damos_try try = try_of(start, start + PAGE);
        struct folio *folio = add_folio(UINT64_C(1) << 18, 18);
        void *p = (void *) (uintptr_t) start;

        if (mmap(p, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != p)
                skip();
        kernel.spaces[0].first = start / PAGE;
        map_frame(0, start + PAGE, folio->head + 200000);
        ASSERT_OK(apply(DAMOS_PAGEOUT, &try, 1));
        assert_int_equal(munmap(p, size), 0);
        for (size_t i = 0; i < kernel.nr_applied; i++)
                if (kernel.applied[i].start < start || kernel.applied[i].end > start + PAGE)
                        fail_msg("acted on %" PRIx64 "-%" PRIx64, kernel.applied[i].start,
                                 kernel.applied[i].end);
        assert_in_range(try.sz_applied, 0, PAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(an_untouched_page_is_idle_a_touched_one_accessed),
                TEST(rounds_do_not_disturb_each_other),
                TEST(under_fast_reclaim_an_idle_flag_proves_nothing),
                TEST(what_is_absent_all_the_time_is_absent),
                TEST(a_fault_is_an_access_once_its_page_is_on_the_lru),
                TEST(a_read_fault_that_brings_the_zero_page_is_unknown),
                TEST(a_page_not_on_the_lru_when_marked_is_unknown),
                TEST(zero_and_hugetlb_pages_are_unknown),
                TEST(a_folio_is_watched_by_its_head_only),
                TEST(smaller_folios_at_a_2_mib_border_are_not_mistaken_for_its_head),
                TEST(a_migrated_page_has_its_idle_flag_with_it),
                TEST(another_page_that_is_not_idle_is_unknown),
                TEST(a_page_swapped_out_between_is_idle),
                TEST(an_entry_in_transit_is_unknown),
                TEST(a_page_isolated_when_checked_is_unknown),
                TEST(frames_behind_the_end_of_memory_are_unknown),
                TEST(frames_that_the_bitmap_does_not_reach_are_unknown),
                TEST(memory_taken_away_or_added_between_is_unknown),
                TEST(an_address_space_that_ended_before_the_mark_is_gone_and_harms_no_other),
                TEST(an_address_space_that_ended_before_the_check_is_gone_and_harms_no_other),
                TEST(a_batch_of_nothing_is_no_work),
                TEST(every_word_is_read_and_written_once_a_batch),
                TEST(words_side_by_side_share_a_call_and_gaps_are_not_bridged),
                TEST(samples_are_looked_up_512_at_a_time),
                TEST(flags_are_read_at_the_check_only_for_what_is_not_idle),
                TEST(samples_in_one_folio_agree),
                TEST(neighbours_share_a_read_of_pagemap),
                TEST(a_read_of_pagemap_has_an_end),
                TEST(targets_do_not_share_a_read_of_pagemap),
                TEST(signals_do_no_harm),
                TEST(a_file_that_fails_is_a_failure_of_the_operations),
                TEST(a_page_map_that_fails_ends_its_target_only),
                TEST(random_folios_have_the_right_outcomes_and_no_other_bit_is_written),
                TEST(all_checks_of_a_step_come_before_its_marks),
                TEST(mappings_are_those_of_the_process),
                TEST(mappings_of_an_address_space_that_ended_are_gone),
                TEST(what_is_in_memory_is_found_by_the_page_map),
                TEST(nothing_in_memory_is_known),
                TEST(a_kernel_that_cannot_tell_is_asked_once),
                TEST(while_walks_fail_nothing_is_known),
                TEST(an_address_space_that_ended_in_a_walk_is_gone_and_harms_no_other),
                TEST(a_walk_without_memory_is_a_failure_of_the_operations),
                TEST(walks_take_a_thousandth_of_the_time),
                TEST(an_action_is_the_advice_of_its_name),
                TEST(waiting_is_part_of_the_time_of_an_action),
                TEST(pieces_end_where_mappings_end),
                TEST(several_tries_get_what_was_done_of_each),
                TEST(where_nothing_is_mapped_there_is_no_call),
                TEST(more_than_1024_pieces_take_several_calls),
                TEST(large_ranges_are_cut_and_no_call_is_too_large),
                TEST(a_refused_piece_is_passed_over),
                TEST(a_call_that_does_a_part_is_continued),
                TEST(a_call_that_does_nothing_or_half_a_piece_is_not_repeated_for_ever),
                TEST(errors_about_the_process_end_the_work),
                TEST(signals_during_an_action_do_no_harm),
                TEST(a_dry_run_calls_nothing),
                TEST(another_program_than_was_watched_is_not_acted_on),
                TEST(a_folio_across_the_border_of_a_range_is_left_out_of_what_splits_it),
                TEST(a_range_inside_of_a_folio_is_left_out),
                TEST(adjacent_ranges_are_as_one),
                TEST(what_filters_hold_back_is_left_out_and_counted),
                TEST(what_there_is_no_time_for_is_left),
                TEST(filters_count_also_where_nothing_is_done),
                TEST(a_young_page_is_left_out_once),
                TEST(a_process_that_ends_while_it_is_looked_at_is_gone),
                TEST(what_is_left_out_of_a_folio_is_refused_for_that),
                TEST(presence_is_counted_and_its_end_noticed),
                TEST(a_folio_that_begins_before_address_0_is_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
