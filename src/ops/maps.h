/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * /proc/PID/maps: which parts of an address space there are to monitor, and where one
 * mapping ends and the next begins, which advice must not cross.
 */

#include <stdbool.h>
#include <stddef.h>

#include <damond/region.h>

/**
 * struct mapping - what a mapping is of
 * @name:       its name, in the text that it was taken from
 * @length:     bytes of the name; 0 if it has none
 * @shared:     what is written to it is seen by all who map the same
 */
struct mapping {
        const char *name;
        size_t length;
        bool shared;
};

/**
 * struct maps - mappings of a process
 * @ranges:     @nr mappings, sorted, disjoint; owned
 * @mappings:   what they are of; owned
 * @nr:         number of mappings
 * @capacity:   number of mappings that @ranges has room for
 * @sz_mappings: number of mappings that @mappings has room for
 * @text:       what was read; kept so that the next read needs no allocation
 * @sz_text:    bytes of @text
 */
struct maps {
        struct damon_range *ranges;
        struct mapping *mappings;
        size_t nr;
        size_t capacity;
        size_t sz_mappings;
        char *text;
        size_t sz_text;
};

/**
 * maps_done() - release what the maps own
 * @maps:       maps, left empty and usable
 */
void maps_done(struct maps *maps);

/**
 * maps_parse() - take the mappings from the text of a maps file
 * @maps:       receives the mappings
 * @text:       the text; names point into it
 *
 * Left out are mappings that are not memory of the process: [vsyscall], which is no mapping
 * at all and lies behind the largest gap of all; [vvar], [vvar_vclock], [vdso] and
 * [uprobes]; hugetlb memory, which is never on the LRU; and devices other than /dev/zero
 * and /dev/shm.
 *
 * Return: 0, -ENOMEM, or -EBADMSG if a line is not of the known form.
 */
int maps_parse(struct maps *maps, const char *text);

/**
 * maps_read() - read the mappings of a process
 * @maps:       receives the mappings
 * @dir_fd:     its directory in /proc
 *
 * Return: 0, -ESRCH if the process has ended, or what maps_parse() or the read returned.
 */
int maps_read(struct maps *maps, int dir_fd);
