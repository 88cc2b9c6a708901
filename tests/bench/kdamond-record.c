// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets DAMON, the one in the kernel, monitor a process, and appends its snapshots to a file, so
 * that they can be compared with damond's and with the truth. One line a region, in the text form
 * that damo reads:
 *
 *   kdamond PID [000] TIME: damon:damon_aggregated: target_id=PID nr_regions=N START-END: NR AGE
 *
 * Snapshots are what a scheme is tried on that matches everything and does nothing: the regions
 * at the end of an aggregation, merged, with the accesses of all of it. Having them written costs
 * the kernel thread a good part of its time; hence --quiet, in which its cost can be measured.
 *
 * Output: "ready KDAMOND-PID" once DAMON runs, "quiet" when snapshots are over; ends after
 * --seconds and --quiet, or on SIGTERM, and then switches DAMON off.
 */
#include <getopt.h>
#include <pthread.h>

#include "../workloads/workload.h"

#define ADMIN "/sys/kernel/mm/damon/admin/"
#define KDAMOND ADMIN "kdamonds/0/"
#define CONTEXT KDAMOND "contexts/0/"
#define SCHEME CONTEXT "schemes/0/"
#define POLL_MS 5
/* Time between snapshots where an aggregation is shorter: not a part of a second, nor of what the
 * workloads change in, so that what it shows of a change does not depend on when that was. */
#define SNAPSHOT_NS (618 * 1000000u)

struct options {
        uint64_t pid, sample_us, aggr_us, update_us, min, max, seconds, quiet;
        const char *record;
};

struct command {
        pthread_mutex_t lock;
        bool done, failed;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: kdamond-record --pid PID --record FILE [--sample-us 5000] [--aggr-us 100000]\n"
              "                      [--update-us 60000000] [--min 10] [--max 1000]\n"
              "                      [--seconds 40] [--quiet 10]\n"
              "  --seconds  how long to write snapshots\n"
              "  --quiet    how long to let DAMON run on without them\n", out);
}

static void parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {
                { "pid", required_argument, NULL, 'p' },
                { "record", required_argument, NULL, 'r' },
                { "sample-us", required_argument, NULL, 's' },
                { "aggr-us", required_argument, NULL, 'a' },
                { "update-us", required_argument, NULL, 'u' },
                { "min", required_argument, NULL, 'm' },
                { "max", required_argument, NULL, 'x' },
                { "seconds", required_argument, NULL, 'n' },
                { "quiet", required_argument, NULL, 'q' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        int c;

        *o = (struct options){ .sample_us = 5000, .aggr_us = 100000, .update_us = 60000000, .min = 10,
                               .max = 1000, .seconds = 40, .quiet = 10 };
        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'p': o->pid = wl_size(optarg); break;
                case 'r': o->record = optarg; break;
                case 's': o->sample_us = wl_size(optarg); break;
                case 'a': o->aggr_us = wl_size(optarg); break;
                case 'u': o->update_us = wl_size(optarg); break;
                case 'm': o->min = wl_size(optarg); break;
                case 'x': o->max = wl_size(optarg); break;
                case 'n': o->seconds = wl_size(optarg); break;
                case 'q': o->quiet = wl_size(optarg); break;
                case 'H': usage(stdout); exit(0);
                default: usage(stderr); exit(2);
                }
        if (optind != argc || o->pid == 0 || o->record == NULL) {
                usage(stderr);
                exit(2);
        }
}

/* The kernel refuses with EBUSY while kdamond itself is at its files. */
static bool put(const char *path, const char *value)
{
        for (unsigned int i = 0; i < 200; i++) {
                int fd = open(path, O_WRONLY | O_CLOEXEC);
                ssize_t ret;

                if (fd < 0)
                        return false;
                ret = write(fd, value, strlen(value));
                close(fd);
                if (ret >= 0)
                        return true;
                if (errno != EBUSY)
                        return false;
                wl_sleep_ms(1);
        }
        return false;
}

static void set(const char *path, const char *value)
{
        if (!put(path, value))
                wl_die("%s = %s", path, value);
}

static void set_number(const char *path, uint64_t value)
{
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, value);
        set(path, text);
}

static bool get(const char *path, uint64_t *value)
{
        char text[32];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t len;

        if (fd < 0)
                return false;
        len = read(fd, text, sizeof(text) - 1);
        close(fd);
        if (len <= 0)
                return false;
        text[len] = '\0';
        *value = strtoull(text, NULL, 10);
        return true;
}

/* apply_interval_us stays 0: the scheme is tried at the end of each aggregation. */
static uint64_t damon_on(const struct options *o)
{
        uint64_t pid = 0;

        set(ADMIN "kdamonds/nr_kdamonds", "1");
        set(KDAMOND "contexts/nr_contexts", "1");
        set(CONTEXT "operations", "vaddr");
        set_number(CONTEXT "monitoring_attrs/intervals/sample_us", o->sample_us);
        set_number(CONTEXT "monitoring_attrs/intervals/aggr_us", o->aggr_us);
        set_number(CONTEXT "monitoring_attrs/intervals/update_us", o->update_us);
        set_number(CONTEXT "monitoring_attrs/nr_regions/min", o->min);
        set_number(CONTEXT "monitoring_attrs/nr_regions/max", o->max);
        set(CONTEXT "targets/nr_targets", "1");
        set_number(CONTEXT "targets/0/pid_target", o->pid);
        set(CONTEXT "schemes/nr_schemes", "1");
        set(SCHEME "action", "stat");
        set_number(SCHEME "access_pattern/sz/max", UINT64_MAX);
        set_number(SCHEME "access_pattern/nr_accesses/max", UINT32_MAX);
        set_number(SCHEME "access_pattern/age/max", UINT32_MAX);
        set(KDAMOND "state", "on");
        for (unsigned int i = 0; i < 200 && !get(KDAMOND "pid", &pid); i++)
                wl_sleep_ms(1);
        if (pid == 0)
                wl_die("the kernel does not say which thread monitors");
        return pid;
}

static void damon_off(void)
{
        put(KDAMOND "state", "off");
        set(ADMIN "kdamonds/nr_kdamonds", "0");
}

static void *update(void *data)
{
        struct command *command = data;
        bool ok = put(KDAMOND "state", "update_schemes_tried_regions");

        pthread_mutex_lock(&command->lock);
        command->done = true;
        command->failed = !ok;
        pthread_mutex_unlock(&command->lock);
        return NULL;
}

/*
 * Has the kernel write down the regions of the next aggregation. It looks only every 100 ms
 * whether that was done, too coarse for a time: their total size says it earlier, being 0 from
 * the start of the command to the end of the aggregation. Returns 0 when DAMON has ended.
 */
static uint64_t capture(void)
{
        struct command command = { .lock = PTHREAD_MUTEX_INITIALIZER };
        uint64_t bytes, at = 0;
        bool done = false, empty = false;
        pthread_t thread;

        if (pthread_create(&thread, NULL, update, &command) != 0)
                wl_die("no thread");
        while (!done) {
                if (at == 0 && get(SCHEME "tried_regions/total_bytes", &bytes)) {
                        if (bytes == 0)
                                empty = true;
                        else if (empty)
                                at = wl_now_ns() - POLL_MS * 1000000u / 2;
                }
                wl_sleep_ms(POLL_MS);
                pthread_mutex_lock(&command.lock);
                done = command.done;
                pthread_mutex_unlock(&command.lock);
        }
        pthread_join(thread, NULL);
        if (command.failed)
                return 0;
        return at != 0 ? at : wl_now_ns() - 50 * 1000000u;
}

static bool region_field(uint64_t index, const char *field, uint64_t *value)
{
        char path[sizeof(SCHEME) + 64];

        snprintf(path, sizeof(path), SCHEME "tried_regions/%" PRIu64 "/%s", index, field);
        return get(path, value);
}

static void append(FILE *out, const struct options *o, uint64_t kdamond, uint64_t at)
{
        struct { uint64_t start, end, nr_accesses, age; } *regions = NULL;
        uint64_t nr = 0, room = 0, start;

        while (region_field(nr, "start", &start)) {
                if (nr == room) {
                        room = room > 0 ? 2 * room : 64;
                        regions = reallocarray(regions, room, sizeof(*regions));
                        if (regions == NULL)
                                wl_die("no memory");
                }
                regions[nr].start = start;
                if (!region_field(nr, "end", &regions[nr].end) ||
                    !region_field(nr, "nr_accesses", &regions[nr].nr_accesses) ||
                    !region_field(nr, "age", &regions[nr].age))
                        wl_die("reading region %" PRIu64, nr);
                nr++;
        }
        for (uint64_t i = 0; i < nr; i++)
                fprintf(out, "kdamond %" PRIu64 " [000] %" PRIu64 ".%06" PRIu64
                        ": damon:damon_aggregated: target_id=%" PRIu64 " nr_regions=%" PRIu64 " %" PRIu64
                        "-%" PRIu64 ": %" PRIu64 " %" PRIu64 "\n", kdamond, at / 1000000000u,
                        at % 1000000000u / 1000, o->pid, nr, regions[i].start, regions[i].end,
                        regions[i].nr_accesses, regions[i].age);
        free(regions);
        if (fflush(out) != 0)
                wl_die("%s", o->record);
}

int main(int argc, char **argv)
{
        uint64_t kdamond, start, next;
        struct options o;
        FILE *out;

        parse(argc, argv, &o);
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        out = fopen(o.record, "we");
        if (out == NULL)
                wl_die("%s", o.record);
        kdamond = damon_on(&o);
        printf("ready %" PRIu64 "\n", kdamond);
        fflush(stdout);

        start = next = wl_now_ns();
        while (!stop && wl_now_ns() - start < o.seconds * 1000000000u) {
                uint64_t at = capture(), now;

                if (at == 0)
                        break;
                append(out, &o, kdamond, at);
                next += SNAPSHOT_NS;
                now = wl_now_ns();
                if (o.aggr_us * 1000 < SNAPSHOT_NS && next > now)
                        wl_sleep_ms((next - now) / 1000000u);
                else
                        next = now;
        }
        fclose(out);
        printf("quiet\n");
        fflush(stdout);
        for (uint64_t i = 0; i < o.quiet * 10 && !stop; i++)
                wl_sleep_ms(100);
        damon_off();
        return 0;
}
