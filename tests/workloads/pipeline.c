// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two processes with a file in memory between them: one maps it and writes it again and again, a step
 * at a time, the other one, "reader", reads what was written some steps ago. What is taken from the
 * writer in the meantime is missed by the reader alone, which has nothing mapped.
 *
 * Output: "ready PID" of the writer; on SIGTERM "content ok" if what was read is what was written, by
 * the reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "workload.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void usage(FILE *out)
{
        fputs("Usage: pipeline --file PATH [--size 64M] [--step 1M] [--behind 16] [--period-ms 100]\n"
              "  --file    in a file system in memory; is removed\n"
              "  --behind  steps that the reader is behind the writer\n", out);
}

struct options {
        const char *file;
        uint64_t size, step, behind, period_ms;
};

static void parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {
                { "file", required_argument, NULL, 'f' },
                { "size", required_argument, NULL, 's' },
                { "step", required_argument, NULL, 't' },
                { "behind", required_argument, NULL, 'b' },
                { "period-ms", required_argument, NULL, 'p' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        int c;

        *o = (struct options){ .size = 64 << 20, .step = 1 << 20, .behind = 16, .period_ms = 100 };
        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'f': o->file = optarg; break;
                case 's': o->size = wl_size(optarg); break;
                case 't': o->step = wl_size(optarg); break;
                case 'b': o->behind = wl_size(optarg); break;
                case 'p': o->period_ms = wl_size(optarg); break;
                case 'H': usage(stdout); exit(0);
                default: usage(stderr); exit(2);
                }
        if (!o->file || o->step == 0 || o->size < o->behind * o->step) {
                usage(stderr);
                exit(2);
        }
}

/* What stands in each page of a step, so that none of them is like another. */
static uint64_t content(uint64_t step, uint64_t page)
{
        return step << 32 | page;
}

static void write_step(const struct options *o, char *mapping, uint64_t step)
{
        char *at = mapping + step * o->step % o->size;

        for (uint64_t i = 0; i < o->step; i += WL_PAGE)
                *(volatile uint64_t *)(void *)(at + i) = content(step, i);
}

static void read_step(const struct options *o, int fd, uint64_t step)
{
        static char page[WL_PAGE];
        uint64_t first;

        for (uint64_t i = 0; i < o->step; i += WL_PAGE) {
                if (pread(fd, page, sizeof(page), (off_t)(step * o->step % o->size + i)) != WL_PAGE)
                        wl_die("the file cannot be read");
                memcpy(&first, page, sizeof(first));
                if (first != content(step, i))
                        wl_die("step %llu is not what was written", (unsigned long long)step);
        }
}

static int read_all(const struct options *o, int fd, int steps)
{
        uint64_t step, nr = 0;

        if (prctl(PR_SET_NAME, "reader") < 0)
                wl_die("the reader cannot be named");
        while (read(steps, &step, sizeof(step)) == sizeof(step))
                if (step >= o->behind) {
                        read_step(o, fd, step - o->behind);
                        nr++;
                }
        puts(nr > 0 ? "content ok" : "nothing was read");
        return nr > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
        struct options o;
        int fd, steps[2], status;
        char *mapping;
        pid_t reader;

        parse(argc, argv, &o);
        fd = open(o.file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || unlink(o.file) < 0 || ftruncate(fd, (off_t)o.size) < 0)
                wl_die("%s cannot be made", o.file);
        if (pipe2(steps, O_CLOEXEC) < 0)
                wl_die("no pipe");
        reader = fork();
        if (reader < 0)
                wl_die("no reader");
        if (reader == 0) {
                signal(SIGTERM, SIG_IGN);
                close(steps[1]);
                return read_all(&o, fd, steps[0]);
        }
        close(steps[0]);
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        mapping = mmap(NULL, o.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapping == MAP_FAILED)
                wl_die("the file cannot be mapped");
        printf("ready %d\n", getpid());
        fflush(stdout);
        for (uint64_t step = 0; !stop; step++) {
                write_step(&o, mapping, step);
                if (write(steps[1], &step, sizeof(step)) != sizeof(step) && errno != EINTR)
                        wl_die("the reader is gone");
                usleep((useconds_t)(o.period_ms * 1000));
        }
        close(steps[1]);
        return waitpid(reader, &status, 0) == reader && status == 0 ? 0 : 1;
}
