/* SPDX-License-Identifier: GPL-2.0-only */
/* Metrics: see metrics.h, Documentation/filesystems/proc.rst and Documentation/accounting/psi.rst. */

#include "metrics.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macro.h"
#include "root.h"

#define BASIS_POINTS UINT64_C(10000)

/* More than meminfo is, and most of vmstat; the lines that matter are among the first. */
#define TEXT_MAX 4096

/* More than a number with white space behind it is. */
#define NUMBER_MAX 64

/* A line "NAME:   N kB". */
static int find_line(const char *text, const char *name, uint64_t *ret_value) {
        size_t length = strlen(name);
        const char *line = text;

        while (line) {
                if (strncmp(line, name, length) == 0 && line[length] == ':')
                        return sscanf(line + length + 1, "%" SCNu64, ret_value) == 1 ? 0 : -EBADMSG;
                line = strchr(line, '\n');
                line = line ? line + 1 : NULL;
        }
        return -EBADMSG;
}

static int read_share(int proc_fd, const char *part_name, const char *whole_name, uint64_t *ret_value) {
        uint64_t part, whole;
        char text[TEXT_MAX];
        int r;

        r = root_read(proc_fd, "meminfo", text, sizeof(text));
        if (r < 0 || (r = find_line(text, part_name, &part)) < 0 ||
            (r = find_line(text, whole_name, &whole)) < 0)
                return r;
        if (part > whole || whole > UINT64_MAX / BASIS_POINTS)
                return -EBADMSG;
        /* of no swap space nothing is free */
        *ret_value = whole > 0 ? part * BASIS_POINTS / whole : 0;
        return 0;
}

/* "some avg10=1.23 avg60=0.45 avg300=0.06 total=789" is the first of two lines. */
static int read_pressure(int proc_fd, uint64_t *ret_value) {
        uint64_t percent;
        char text[TEXT_MAX], hundredths[3];
        int r;

        r = root_read(proc_fd, "pressure/memory", text, sizeof(text));
        if (r < 0)
                return r;
        if (sscanf(text, "some avg10=%" SCNu64 ".%2[0-9] ", &percent, hundredths) != 2 ||
            strlen(hundredths) != 2 || percent > 100)
                return -EBADMSG;
        *ret_value = percent * 100 + strtoul(hundredths, NULL, 10);
        return 0;
}

static int read_pressure_total(int proc_fd, uint64_t *ret_value) {
        char text[TEXT_MAX];
        int r;

        r = root_read(proc_fd, "pressure/memory", text, sizeof(text));
        if (r < 0)
                return r;
        return sscanf(text, "some avg10=%*s avg60=%*s avg300=%*s total=%" SCNu64, ret_value) == 1 ? 0 : -EBADMSG;
}

int metrics_read(int proc_fd, enum damos_metric metric, uint64_t *ret_value) {
        switch (metric) {
        case DAMOS_FREE_MEM_RATE:
                return read_share(proc_fd, "MemFree", "MemTotal", ret_value);
        case DAMOS_AVAILABLE_MEM_RATE:
                return read_share(proc_fd, "MemAvailable", "MemTotal", ret_value);
        case DAMOS_FREE_SWAP_RATE:
                return read_share(proc_fd, "SwapFree", "SwapTotal", ret_value);
        case DAMOS_SOME_MEM_PSI_RATE:
                return read_pressure(proc_fd, ret_value);
        case DAMOS_SOME_MEM_PSI_US:
                return read_pressure_total(proc_fd, ret_value);
        default:
                assert(!"not a metric that can be read");
                return -EOPNOTSUPP;
        }
}

/* Lines "workingset_refault_anon N" and "workingset_refault_file N", in pages; one of both before 5.9. */
static int read_refaults(int proc_fd, uint64_t *ret_nr_pages) {
        static const char name[] = "workingset_refault";
        uint64_t value, sum = 0;
        char text[TEXT_MAX];
        bool found = false;
        int r;

        r = root_read(proc_fd, "vmstat", text, sizeof(text));
        if (r < 0)
                return r;
        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, name, sizeof(name) - 1) != 0)
                        continue;
                if (sscanf(line, "%*s %" SCNu64, &value) != 1)
                        return -EBADMSG;
                sum += value;
                found = true;
        }
        if (!found)
                return -EOPNOTSUPP;
        *ret_nr_pages = sum;
        return 0;
}

int metrics_read_pressure(int proc_fd, struct damos_pressure *ret_pressure) {
        uint64_t waited, nr_pages;
        int r;

        r = read_pressure_total(proc_fd, &waited);
        if (r < 0 || (r = read_refaults(proc_fd, &nr_pages)) < 0)
                return r;
        *ret_pressure = (struct damos_pressure) { waited, nr_pages * (uint64_t) sysconf(_SC_PAGESIZE) };
        return 0;
}

int metrics_read_file(const char *path, uint64_t *ret_value) {
        /* what is no regular file may block, or do something when it is opened */
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        char text[NUMBER_MAX], *end;
        struct stat st;
        ssize_t length;
        uint64_t value;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EOPNOTSUPP;
        length = read(fd, text, sizeof(text) - 1);
        if (length < 0)
                return -errno;
        text[length] = '\0';
        if (text[0] < '0' || text[0] > '9')
                return -EBADMSG;
        errno = 0;
        value = strtoull(text, &end, 10);
        if (errno != 0)
                return -ERANGE;
        if (end[strspn(end, " \t\r\n")] != '\0' || length == sizeof(text) - 1)
                return -EBADMSG;
        *ret_value = value;
        return 0;
}

const char *metrics_error_string(int error) {
        switch (error) {
        case -EBADMSG:
                return "There is no number";
        case -ERANGE:
                return "The number is too large";
        case -EOPNOTSUPP:
                return "Not supported, or no regular file";
        default:
                return strerror(-error);
        }
}
