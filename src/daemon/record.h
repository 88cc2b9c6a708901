/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * The record: snapshots of all regions, appended to a file in the text form that damo reads
 * (lines of "perf script" for the event damon:damon_aggregated). damo takes lines of one target
 * and time for a snapshot when nr_regions of them have come, and reads nothing behind one that
 * has too few: so a file never ends amid a snapshot for long. What a crash or a full disk cuts
 * off is taken away again, at once or when the file is opened the next time.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <damond/target.h>

/**
 * struct record_text - a buffer that grows, and is used again
 * @data:       @size bytes; owned
 * @size:       bytes in use
 * @capacity:   bytes there is room for
 */
struct record_text {
        char *data;
        size_t size, capacity;
};

/**
 * struct record - a file that snapshots are appended to
 * @path:       absolute path, or NULL if nothing is to be recorded; borrowed
 * @sz_max:     bytes that the file may have
 * @fd:         the file, or -1
 * @last:       time of the last snapshot in it, CLOCK_MONOTONIC, microseconds
 * @error:      why it does not work at present, a negative errno, or 0
 * @retry_at:   when it is tried again after an error, CLOCK_MONOTONIC, microseconds
 * @text:       the snapshot that is being composed
 */
struct record {
        const char *path;
        uint64_t sz_max;
        int fd;
        uint64_t last;
        int error;
        uint64_t retry_at;
        struct record_text text;
};

/**
 * enum record_news - what there is to say after a snapshot
 * @RECORD_NO_NEWS:     it works, or does not, as before
 * @RECORD_FAILED:      it does not work any more, for the reason in &record.error
 * @RECORD_RECOVERED:   it works again
 */
enum record_news {
        RECORD_NO_NEWS,
        RECORD_FAILED,
        RECORD_RECOVERED,
};

/**
 * record_init() - make a record that records nothing
 * @record:     record
 */
void record_init(struct record *record);

/**
 * record_done() - close the file and release what the record owns
 * @record:     record
 */
void record_done(struct record *record);

/**
 * record_set() - say where to record, or stop recording
 * @record:     record
 * @path:       absolute path, or NULL for nothing; borrowed until the next call
 * @sz_max:     bytes that the file may have
 *
 * A file that stays the same is kept open; after a failure it is tried again at once.
 */
void record_set(struct record *record, const char *path, uint64_t sz_max);

/**
 * record_append() - append a snapshot
 * @record:     record
 * @targets:    @nr targets; those that are gone or have no regions are left out
 * @nr:         number of targets; with none of them, the file is only opened
 * @usec:       the time of the snapshot, CLOCK_MONOTONIC, microseconds
 *
 * Does nothing if the file has a snapshot of that time. If the file would become too large, or
 * has later snapshots (those of an earlier boot), it is renamed to "PATH.1", in place of an
 * older one, and begun anew. After a failure, nothing is tried for a minute.
 *
 * Return: what there is to say.
 */
enum record_news record_append(struct record *record, struct damon_target *const *targets, size_t nr,
                               uint64_t usec);

/**
 * record_compose() - write a snapshot as text
 * @text:       receives it, in place of what was there
 * @pid:        process ID that the lines bear
 * @targets:    @nr targets; those that are gone or have no regions are left out
 * @nr:         number of targets
 * @usec:       the time of the snapshot, microseconds
 *
 * Return: 0, -ENOMEM.
 */
int record_compose(struct record_text *text, pid_t pid, struct damon_target *const *targets, size_t nr,
                   uint64_t usec);

/**
 * record_error_string() - say why a record does not work
 * @error:      &record.error
 *
 * Return: what is wrong with the file.
 */
const char *record_error_string(int error);
