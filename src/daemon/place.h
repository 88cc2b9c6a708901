/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * In which unit, slice and control group a process is. libsystemd knows, but reads a file
 * of the process and one of process 1 for each answer; a look at all processes, as it is due every
 * second, would take most of its time with that. Where the file of the process says the same as
 * that of another one did, so is the answer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct place - where a process is; what it is not in is an empty string
 * @text:       /proc/PID/cgroup
 * @length:     length of that
 * @unit:       name of the unit
 * @slice:      name of the slice
 * @cgroup:     path of the control group
 * @seen:       a process was found there since the last places_forget_empty()
 */
struct place {
        char *text;
        size_t length;
        char *unit;
        char *slice;
        char *cgroup;
        bool seen;
};

/**
 * struct places - the places that are known; starts as all zeroes
 * @items:      @nr places
 * @nr:         number of those
 * @sz:         number that there is room for
 * @other:      that of a process of which it could not be made sure
 */
struct places {
        struct place *items;
        size_t nr, sz;
        struct place other;
};

/**
 * places_find() - find where a process is
 * @places:     places
 * @proc_fd:    /proc
 * @pid:        process
 *
 * Return: its place, until the next call with these places.
 */
const struct place *places_find(struct places *places, int proc_fd, pid_t pid);

/**
 * places_forget_empty() - forget places in which no process was found since this was done last
 * @places:     places
 */
void places_forget_empty(struct places *places);

/**
 * places_done() - release what is known
 * @places:     places
 */
void places_done(struct places *places);
