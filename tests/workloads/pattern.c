// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a scripted access pattern over its memory and writes down what it really accessed and
 * when, so that what a monitor says can be compared with the truth. Pages are read, a word each,
 * in passes on a grid of --touch-ms of the monotonic clock; the rest of the time it sleeps.
 *
 * Output: "ready PID ADDRESS SIZE" once the memory is filled; ends on SIGTERM or after --seconds.
 *
 * The truth file has one record a line, times in seconds of CLOCK_MONOTONIC:
 *
 *   pattern NAME                 the first line
 *   arena START END              addresses of the pattern's memory, in hexadecimal
 *   resident RUNS                what of it has pages
 *   set ID RUNS                  pages that are always touched together; sets do not overlap
 *   change TIME                  from here on other sets are touched than before
 *   touched END ID:PASSES...     sets that were touched in the 100 ms that end here, and how often
 *                                each page of them was; a set that is not named was not touched
 *   work TIME TOUCHES CPU        pages touched so far, and the CPU time that this has taken, in
 *                                nanoseconds, without what it takes to sleep and to wake up; once a
 *                                second
 *
 * RUNS is a list RUN,RUN... in rising order, where RUN is FIRST+PAGES, counted in pages of 4 KiB
 * from the start of the arena, or FIRST+PAGES/STRIDE*TIMES: that often, STRIDE pages apart.
 *
 * The truth is what a page table can show: of a huge page, one access is an access of all of it.
 */
#include <getopt.h>
#include <sys/prctl.h>

#include "workload.h"

#define NSEC_PER_MSEC 1000000u
#define NSEC_PER_SEC 1000000000u
#define RECORD_NS (100u * NSEC_PER_MSEC)
#define SETS_MAX 16
#define HUGE_PAGES (WL_HUGE / WL_PAGE)
/* Not a whole number of seconds: changes shall come at any time of an aggregation, not always at
 * the same one. */
#define MOVE_NS (5300ull * NSEC_PER_MSEC)
/* Of sparse: how much is reserved for each byte that is resident. */
#define SPARSE_RESERVE 512u

struct run {
        uint64_t first, pages, stride, times;
};

struct runs {
        struct run *items;
        size_t nr;
};

/* What is touched together, what a page table shows of it, and how often: a pass of every. */
struct set {
        struct runs touched, shown;
        uint64_t every, next_tick, passes;
};

struct pattern {
        const char *name;
        char *arena;
        uint64_t pages;                 /* of the arena */
        struct runs resident;
        struct set sets[SETS_MAX];
        size_t nr_sets;
        /* Which of the sets are touched: all, or in turns of turn_ns that of the turn's number,
         * modulo nr_turns; a turn without a set is idle. */
        uint64_t turn_ns, nr_turns;
        bool huge, file;
};

struct options {
        const char *name, *truth;
        uint64_t size, touch_ms, seconds;
};

struct record {
        FILE *file;
        uint64_t end_ns, work_ns, touches, cpu_ns;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: pattern NAME --truth FILE [--size 256M] [--touch-ms 2] [--seconds N]\n"
              "  static    a quarter is hot\n"
              "  moving    an eighth is hot, another one every 5.3 s\n"
              "  islands   64 hot pieces, each of 1/1024 of the memory\n"
              "  gradient  16 bands, touched all the time to once a second; the last one never\n"
              "  needles   one hot page in every 64\n"
              "  thp       a quarter is hot, on huge pages\n"
              "  file      a quarter is hot, of a mapped file in memory\n"
              "  sparse    chunks of 2 to 8 MiB, a quarter of them hot, in 512 times as much address\n"
              "            space; --size is what is resident (default: 128M)\n"
              "  bursts    a quarter is idle for 10.6 s, then hot for as long, and so on\n"
              "  --touch-ms  time between passes over hot memory\n"
              "  --seconds   end by itself after that time\n", out);
}

static void parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {
                { "truth", required_argument, NULL, 't' },
                { "size", required_argument, NULL, 's' },
                { "touch-ms", required_argument, NULL, 'm' },
                { "seconds", required_argument, NULL, 'n' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        int c;

        *o = (struct options){ .touch_ms = 2 };
        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 't': o->truth = optarg; break;
                case 's': o->size = wl_size(optarg); break;
                case 'm': o->touch_ms = wl_size(optarg); break;
                case 'n': o->seconds = wl_size(optarg); break;
                case 'H': usage(stdout); exit(0);
                default: usage(stderr); exit(2);
                }
        errno = 0;
        if (optind != argc - 1 || o->truth == NULL || o->touch_ms == 0) {
                usage(stderr);
                exit(2);
        }
        o->name = argv[optind];
        if (o->size == 0)
                o->size = (strcmp(o->name, "sparse") == 0 ? 128u : 256u) << 20;
        if (o->size % (1024 * WL_PAGE) != 0)
                wl_die("--size is a multiple of 4M");
}

static void add_run(struct runs *runs, struct run run)
{
        runs->items = reallocarray(runs->items, runs->nr + 1, sizeof(run));
        if (runs->items == NULL)
                wl_die("no memory");
        runs->items[runs->nr++] = run;
}

static struct set *add_set(struct pattern *p)
{
        struct set *set;

        if (p->nr_sets == SETS_MAX)
                wl_die("too many sets");
        set = &p->sets[p->nr_sets++];
        *set = (struct set){ .every = 1 };
        return set;
}

static void add_hot(struct pattern *p, uint64_t first, uint64_t pages, uint64_t stride,
                    uint64_t times)
{
        struct set *set = add_set(p);

        add_run(&set->touched, (struct run){ first, pages, stride, times });
        add_run(&set->shown, (struct run){ first, pages, stride, times });
}

static void plan_thp(struct pattern *p)
{
        /* Off the border of huge pages on purpose, as data is. */
        uint64_t first = p->pages * 3 / 8 + HUGE_PAGES / 2, end = first + p->pages / 4;
        uint64_t shown = first / HUGE_PAGES * HUGE_PAGES;
        struct set *set = add_set(p);

        add_run(&set->touched, (struct run){ first, end - first, 0, 1 });
        end = (end + HUGE_PAGES - 1) / HUGE_PAGES * HUGE_PAGES;
        add_run(&set->shown, (struct run){ shown, end - shown, 0, 1 });
        p->huge = true;
}

/* The last band is never touched, the one before it once a second, each further one 1.6 times as
 * often as its neighbour: two bands down is a bit more than double. */
static void plan_gradient(struct pattern *p, uint64_t touch_ms)
{
        uint64_t band = p->pages / 16;
        double period_ms = 1000;

        for (uint64_t i = 15; i-- > 0; period_ms /= 1.6) {
                uint64_t every = (uint64_t)(period_ms / (double)touch_ms + 0.5);

                add_hot(p, i * band, band, 0, 1);
                p->sets[p->nr_sets - 1].every = every > 0 ? every : 1;
        }
}

/* Chunks in rooms of equal size, each somewhere in its room; every fourth one is hot. */
static void plan_sparse(struct pattern *p, uint64_t resident)
{
        uint64_t sizes[64], room, state = 1;
        size_t nr = 0;
        struct set *hot = add_set(p);

        while (resident > 0 && nr < 64) {
                uint64_t pages = HUGE_PAGES + wl_random(&state) % (3 * HUGE_PAGES + 1);

                if (resident < 2 * HUGE_PAGES)
                        pages = resident;
                else if (resident < pages + HUGE_PAGES)
                        pages = resident - HUGE_PAGES;
                sizes[nr++] = pages;
                resident -= pages;
        }
        if (resident > 0)
                wl_die("too many chunks");
        room = p->pages / nr;
        for (size_t i = 0; i < nr; i++) {
                struct run run = { i * room + wl_random(&state) % (room - sizes[i]), sizes[i], 0, 1 };

                add_run(&p->resident, run);
                if (i % 4 == 1) {
                        add_run(&hot->touched, run);
                        add_run(&hot->shown, run);
                }
        }
}

static void plan(struct pattern *p, const struct options *o)
{
        uint64_t pages = o->size / WL_PAGE;

        *p = (struct pattern){ .name = o->name, .pages = pages };
        if (strcmp(o->name, "sparse") == 0) {
                p->pages = pages * SPARSE_RESERVE;
                plan_sparse(p, pages);
                return;
        }
        add_run(&p->resident, (struct run){ 0, pages, 0, 1 });
        if (strcmp(o->name, "static") == 0 || strcmp(o->name, "file") == 0) {
                add_hot(p, pages * 3 / 8, pages / 4, 0, 1);
                p->file = strcmp(o->name, "file") == 0;
        } else if (strcmp(o->name, "moving") == 0) {
                for (uint64_t i = 0; i < 8; i++)
                        add_hot(p, i * pages / 8, pages / 8, 0, 1);
                p->turn_ns = MOVE_NS;
                p->nr_turns = 8;
        } else if (strcmp(o->name, "islands") == 0)
                add_hot(p, pages / 128, pages / 1024, pages / 64, 64);
        else if (strcmp(o->name, "gradient") == 0)
                plan_gradient(p, o->touch_ms);
        else if (strcmp(o->name, "needles") == 0)
                add_hot(p, 31, 1, 64, pages / 64);
        else if (strcmp(o->name, "thp") == 0)
                plan_thp(p);
        else if (strcmp(o->name, "bursts") == 0) {
                /* the second of two turns: the first one is idle */
                add_set(p);
                add_hot(p, pages * 3 / 8, pages / 4, 0, 1);
                p->turn_ns = 2 * MOVE_NS;
                p->nr_turns = 2;
        } else
                wl_die("no such pattern: '%s'", o->name);
}

static void touch(const struct pattern *p, const struct runs *runs, bool write)
{
        for (size_t i = 0; i < runs->nr; i++)
                for (uint64_t k = 0; k < runs->items[i].times; k++) {
                        char *at = p->arena + (runs->items[i].first + k * runs->items[i].stride) * WL_PAGE;
                        char *end = at + runs->items[i].pages * WL_PAGE;

                        for (; at < end; at += WL_PAGE)
                                if (write)
                                        *(volatile uint64_t *)(void *)at = (uintptr_t)at;
                                else
                                        (void)*(volatile uint64_t *)(void *)at;
                }
}

/* Read-only, as a program maps its data; memory of the system, so that it is on the LRU. */
static void map_file(struct pattern *p)
{
        int fd = memfd_create("pattern", MFD_CLOEXEC);
        size_t len = p->pages * WL_PAGE;

        if (fd < 0 || ftruncate(fd, (off_t)len) < 0)
                wl_die("no file in memory");
        p->arena = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p->arena == MAP_FAILED)
                wl_die("no memory for %zu bytes", len);
        touch(p, &p->resident, true);
        munmap(p->arena, len);
        p->arena = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
        if (p->arena == MAP_FAILED)
                wl_die("no memory for %zu bytes", len);
        touch(p, &p->resident, false);
        close(fd);
}

static void make_memory(struct pattern *p)
{
        if (!p->huge && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
                wl_die("huge pages cannot be switched off");
        if (p->file) {
                map_file(p);
                return;
        }
        p->arena = wl_map(p->pages * WL_PAGE, p->huge);
        touch(p, &p->resident, true);
        if (p->huge && wl_proc_kb("/proc/self/smaps_rollup", "AnonHugePages") < p->pages * WL_PAGE / 1024)
                wl_die("not all of the memory is on huge pages");
}

static void print_runs(FILE *out, const struct runs *runs)
{
        for (size_t i = 0; i < runs->nr; i++) {
                const struct run *run = &runs->items[i];

                fprintf(out, "%s%" PRIu64 "+%" PRIu64, i > 0 ? "," : "", run->first, run->pages);
                if (run->times > 1)
                        fprintf(out, "/%" PRIu64 "*%" PRIu64, run->stride, run->times);
        }
        fputc('\n', out);
}

static void print_time(FILE *out, const char *word, uint64_t ns)
{
        fprintf(out, "%s %" PRIu64 ".%06" PRIu64, word, ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000);
}

static void print_header(FILE *out, const struct pattern *p)
{
        fprintf(out, "pattern %s\narena %" PRIxPTR " %" PRIxPTR "\nresident ", p->name,
                (uintptr_t)p->arena, (uintptr_t)p->arena + p->pages * WL_PAGE);
        print_runs(out, &p->resident);
        for (size_t i = 0; i < p->nr_sets; i++)
                if (p->sets[i].shown.nr > 0) {
                        fprintf(out, "set %zu ", i);
                        print_runs(out, &p->sets[i].shown);
                }
}

/* Closes the records that end until now. A pass that was on its way counts for the one it ended in. */
static void record_until(struct record *record, struct pattern *p, uint64_t now)
{
        while (record->end_ns <= now) {
                print_time(record->file, "touched", record->end_ns);
                for (size_t i = 0; i < p->nr_sets; i++)
                        if (p->sets[i].passes > 0) {
                                fprintf(record->file, " %zu:%" PRIu64, i, p->sets[i].passes);
                                p->sets[i].passes = 0;
                        }
                fputc('\n', record->file);
                record->end_ns += RECORD_NS;
        }
        if (record->work_ns <= now) {
                print_time(record->file, "work", now);
                fprintf(record->file, " %" PRIu64 " %" PRIu64 "\n", record->touches, record->cpu_ns);
                record->work_ns = now + NSEC_PER_SEC;
                if (fflush(record->file) != 0)
                        wl_die("writing the truth");
        }
}

static uint64_t runs_pages(const struct runs *runs)
{
        uint64_t pages = 0;

        for (size_t i = 0; i < runs->nr; i++)
                pages += runs->items[i].pages * runs->items[i].times;
        return pages;
}

static uint64_t cpu_ns(void)
{
        struct timespec cpu;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
        return (uint64_t)cpu.tv_sec * NSEC_PER_SEC + (uint64_t)cpu.tv_nsec;
}

static void pass(struct pattern *p, struct record *record, uint64_t tick, uint64_t turn)
{
        for (size_t i = 0; i < p->nr_sets; i++) {
                struct set *set = &p->sets[i];
                uint64_t begun;

                if (set->next_tick > tick || (p->nr_turns > 0 && turn % p->nr_turns != i))
                        continue;
                begun = cpu_ns();
                touch(p, &set->touched, false);
                record->cpu_ns += cpu_ns() - begun;
                record->touches += runs_pages(&set->touched);
                record_until(record, p, wl_now_ns());
                set->passes++;
                set->next_tick = tick + set->every;
        }
}

static void work(struct pattern *p, struct record *record, const struct options *o)
{
        uint64_t touch_ns = o->touch_ms * NSEC_PER_MSEC, start = wl_now_ns(), last_turn = 0;

        record->end_ns = start + RECORD_NS;
        record->work_ns = start;
        while (!stop) {
                uint64_t now = wl_now_ns(), tick = (now - start) / touch_ns, next, turn = 0;
                struct timespec until;

                if (o->seconds > 0 && now - start >= o->seconds * NSEC_PER_SEC)
                        break;
                if (p->nr_turns > 0)
                        turn = (now - start) / p->turn_ns;
                record_until(record, p, now);
                if (turn != last_turn) {
                        print_time(record->file, "change", now);
                        fputc('\n', record->file);
                        last_turn = turn;
                }
                pass(p, record, tick, turn);
                next = start + (tick + 1) * touch_ns;
                until = (struct timespec){ (time_t)(next / NSEC_PER_SEC), (long)(next % NSEC_PER_SEC) };
                clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        }
        record_until(record, p, wl_now_ns());
}

int main(int argc, char **argv)
{
        struct record record = { 0 };
        struct options o;
        struct pattern p;

        parse(argc, argv, &o);
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        plan(&p, &o);
        make_memory(&p);
        record.file = fopen(o.truth, "we");
        if (record.file == NULL)
                wl_die("%s", o.truth);
        print_header(record.file, &p);
        printf("ready %d %#" PRIxPTR " %" PRIu64 "\n", getpid(), (uintptr_t)p.arena, p.pages * WL_PAGE);
        fflush(stdout);
        work(&p, &record, &o);
        if (fclose(record.file) != 0)
                wl_die("%s", o.truth);
        return 0;
}
