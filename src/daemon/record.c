/* SPDX-License-Identifier: GPL-2.0-only */
/* The record: see record.h. record_append() is what happens at each aggregation. */

#include "record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "macro.h"
#include "unit.h"

#define LINE_BEGINNING "damond %d [000] "

/* Digits of the largest number, and bytes of a line: what comes before its four numbers, and all. */
#define DIGITS_MAX 20
#define PREFIX_MAX 160
#define LENGTH_MAX (PREFIX_MAX + 4 * (DIGITS_MAX + 2))

/* How much of the end of a file is looked at first, and at most, for a whole snapshot. */
#define TAIL_MIN ((size_t) 64 * 1024)
#define TAIL_MAX ((size_t) 16 * 1024 * 1024)

#define RETRY_INTERVAL (60 * USEC_PER_SEC)

void record_init(struct record *record) {
        *record = (struct record) { .fd = -1 };
}

void record_done(struct record *record) {
        close_safe(record->fd);
        free(record->text.data);
        record_init(record);
}

void record_set(struct record *record, const char *path, uint64_t sz_max) {
        if (!path || !record->path || strcmp(path, record->path) != 0)
                record_done(record);
        record->path = path;
        record->sz_max = sz_max;
        record->retry_at = 0;
}

static char *put_number(char *to, uint64_t number) {
        char digits[DIGITS_MAX];
        size_t i = sizeof(digits);

        do
                digits[--i] = (char) ('0' + number % 10);
        while (number /= 10);
        return mempcpy(to, digits + i, sizeof(digits) - i);
}

/* By hand, as printf() would take most of the time that a whole aggregation takes. */
static int compose_target(struct record_text *text, pid_t pid, const struct damon_target *target,
                          uint64_t usec) {
        const struct damon_regions *regions = &target->regions;
        char prefix[PREFIX_MAX], *to;
        size_t length;
        int r;

        r = ARRAY_GROW(text->data, text->capacity, text->size + regions->nr * LENGTH_MAX);
        if (r < 0)
                return r;
        length = (size_t) snprintf(prefix, sizeof(prefix),
                                   LINE_BEGINNING "%" PRIu64 ".%06" PRIu64
                                   ": damon:damon_aggregated: target_id=%d nr_regions=%zu ",
                                   (int) pid, usec / USEC_PER_SEC, usec % USEC_PER_SEC, (int) target->pid,
                                   regions->nr);
        to = text->data + text->size;
        for (size_t i = 0; i < regions->nr; i++) {
                const struct damon_region *region = &regions->items[i];

                to = mempcpy(to, prefix, length);
                to = put_number(to, region->range.start);
                *to++ = '-';
                to = put_number(to, region->range.end);
                *to++ = ':';
                *to++ = ' ';
                to = put_number(to, region->nr_accesses);
                *to++ = ' ';
                to = put_number(to, region->age);
                *to++ = '\n';
        }
        text->size = (size_t) (to - text->data);
        return 0;
}

int record_compose(struct record_text *text, pid_t pid, struct damon_target *const *targets, size_t nr,
                   uint64_t usec) {
        text->size = 0;
        for (size_t i = 0; i < nr; i++) {
                int r = targets[i]->gone ? 0 : compose_target(text, pid, targets[i], usec);

                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * struct block - the lines of one target and time
 * @usec:       the time
 * @target:     the target's process ID
 * @nr_regions: how many lines there should be
 * @nr:         how many there are
 */
struct block {
        uint64_t usec;
        int target;
        size_t nr_regions;
        size_t nr;
};

/* Return: whether the string is a line of a record. */
static bool parse_line(const char *s, size_t length, struct block *ret_block) {
        uint64_t seconds, micros, start, end;
        uint32_t nr_accesses, age;
        struct block block = { .nr = 1 };
        int pid, n = 0;

        if (sscanf(s, LINE_BEGINNING "%" SCNu64 ".%6" SCNu64 ": damon:damon_aggregated: target_id=%d"
                   " nr_regions=%zu %" SCNu64 "-%" SCNu64 ": %" SCNu32 " %" SCNu32 "%n",
                   &pid, &seconds, &micros, &block.target, &block.nr_regions, &start, &end, &nr_accesses,
                   &age, &n) != 9 || (size_t) n != length)
                return false;
        block.usec = seconds * USEC_PER_SEC + micros;
        *ret_block = block;
        return true;
}

/*
 * Find the end of the last whole block in the end of a file, and its time. Writes to the text.
 * Return: whether there is one.
 */
static bool find_last_block(char *text, size_t size, size_t *ret_end, uint64_t *ret_usec) {
        struct block block = {}, line;
        bool found = false;
        char *end;

        for (char *s = text; (end = memchr(s, '\n', size - (size_t) (s - text))); s = end + 1) {
                *end = '\0';
                if (!parse_line(s, (size_t) (end - s), &line)) {
                        block.nr = 0;
                        continue;
                }
                if (block.nr > 0 && line.usec == block.usec && line.target == block.target)
                        block.nr++;
                else
                        block = line;
                if (block.nr == block.nr_regions) {
                        *ret_end = (size_t) (end + 1 - text);
                        *ret_usec = block.usec;
                        found = true;
                }
        }
        return found;
}

static int read_at(int fd, char *data, size_t size, uint64_t offset) {
        while (size > 0) {
                ssize_t n = pread(fd, data, size, (off_t) offset);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                data += n;
                size -= (size_t) n;
                offset += (uint64_t) n;
        }
        return 0;
}

/* Whoever has written the file, it shall not be cut unless it begins like a record. */
static int check_beginning(int fd, uint64_t size) {
        char line[LENGTH_MAX + 1], *end;
        size_t length = (size_t) MIN(size, (uint64_t) LENGTH_MAX);
        struct block block;
        int pid, n = 0, r;

        r = read_at(fd, line, length, 0);
        if (r < 0)
                return r;
        line[length] = '\0';
        end = memchr(line, '\n', length);
        if (end) {
                *end = '\0';
                return parse_line(line, (size_t) (end - line), &block) ? 0 : -EBADMSG;
        }
        /* the first line of all was cut off */
        return sscanf(line, LINE_BEGINNING "%n", &pid, &n) == 1 && n > 0 ? 0 : -EBADMSG;
}

/* Cut off what stands behind the last whole snapshot. */
static int repair(struct record *record, uint64_t size) {
        struct record_text *text = &record->text;
        size_t tail = TAIL_MIN, end = 0;
        bool found;
        int r;

        if (size == 0)
                return 0;
        r = check_beginning(record->fd, size);
        if (r < 0)
                return r;
        do {
                tail = (size_t) MIN(tail, size);
                if ((r = ARRAY_GROW(text->data, text->capacity, tail)) < 0 ||
                    (r = read_at(record->fd, text->data, tail, size - tail)) < 0)
                        return r;
                found = find_last_block(text->data, tail, &end, &record->last);
                if (found || tail == size)
                        break;
                tail *= 2;
        } while (tail <= TAIL_MAX);

        if (!found && tail > TAIL_MAX)
                return -EBADMSG;
        if (end < tail && ftruncate(record->fd, (off_t) (size - tail + end)) < 0)
                return -errno;
        return 0;
}

static int open_file(struct record *record) {
        struct stat st;

        record->last = 0;
        /* a FIFO, which is refused below, would block */
        record->fd = open(record->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                          O_NOCTTY, 0600);
        if (record->fd < 0 || fstat(record->fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EMEDIUMTYPE;
        if (st.st_uid != geteuid())
                return -EPERM;
        if ((st.st_mode & 07777) != 0600 && fchmod(record->fd, 0600) < 0)
                return -errno;
        return repair(record, (uint64_t) st.st_size);
}

static int rotate(struct record *record) {
        char older[PATH_MAX];

        record->fd = close_safe(record->fd);
        if (snprintf(older, sizeof(older), "%s.1", record->path) >= (int) sizeof(older))
                return -ENAMETOOLONG;
        /* somebody may have taken it away */
        if (rename(record->path, older) < 0 && errno != ENOENT)
                return -errno;
        return open_file(record);
}

/* Have a file open that has a name still, and nothing later in it. Return: 0 or a negative errno. */
static int prepare(struct record *record, uint64_t usec) {
        struct stat st;
        int r;

        if (record->fd >= 0) {
                if (fstat(record->fd, &st) < 0)
                        return -errno;
                if (st.st_nlink > 0)
                        return 0;
                record->fd = close_safe(record->fd);
        }
        r = open_file(record);
        if (r < 0)
                return r;
        return record->last > usec ? rotate(record) : 0;
}

/* All or nothing. */
static int write_text(int fd, const struct record_text *text, uint64_t size_before) {
        const char *data = text->data;
        size_t left = text->size;

        while (left > 0) {
                ssize_t n = write(fd, data, left);

                if (n < 0) {
                        int r = -errno;

                        /* if this fails, it is done when the file is opened the next time */
                        (void) !ftruncate(fd, (off_t) size_before);
                        return r;
                }
                data += n;
                left -= (size_t) n;
        }
        return 0;
}

/* Return: 1 if a snapshot was written, 0 if there is none to write, or a negative errno. */
static int append(struct record *record, struct damon_target *const *targets, size_t nr, uint64_t usec) {
        struct stat st;
        int r;

        r = prepare(record, usec);
        if (r < 0)
                return r;
        if (record->last >= usec)
                return 0;
        r = record_compose(&record->text, getpid(), targets, nr, usec);
        if (r < 0 || record->text.size == 0)
                return r;
        if (record->text.size > record->sz_max)
                return -E2BIG;
        if (fstat(record->fd, &st) < 0)
                return -errno;
        if ((uint64_t) st.st_size + record->text.size > record->sz_max) {
                if ((r = rotate(record)) < 0)
                        return r;
                st.st_size = 0;
        }
        r = write_text(record->fd, &record->text, (uint64_t) st.st_size);
        if (r < 0)
                return r;
        record->last = usec;
        return 1;
}

enum record_news record_append(struct record *record, struct damon_target *const *targets, size_t nr,
                               uint64_t usec) {
        bool failed = record->error < 0;
        int r;

        if (!record->path || (failed && usec < record->retry_at))
                return RECORD_NO_NEWS;
        r = append(record, targets, nr, usec);
        if (r < 0) {
                record->fd = close_safe(record->fd);
                record->retry_at = usec + RETRY_INTERVAL;
                if (failed)
                        return RECORD_NO_NEWS;
                record->error = r;
                return RECORD_FAILED;
        }
        if (r == 0 || !failed)
                return RECORD_NO_NEWS;
        record->error = 0;
        return RECORD_RECOVERED;
}

const char *record_error_string(int error) {
        switch (error) {
        case -ELOOP:
                return "is a symbolic link";
        case -EMEDIUMTYPE:
                return "is not a regular file";
        case -EBADMSG:
                return "has contents that are no record";
        case -E2BIG:
                return "a snapshot is larger than record_size";
        default:
                return strerror(-error);
        }
}
