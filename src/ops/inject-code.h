/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What there is in a process for a system call that it is to make: the code that makes it, and a
 * stack with room.
 */

#include "inject-arch.h"

/**
 * struct inject_mapping - a line of /proc/PID/maps
 * @start, @end: addresses
 * @readable, @writable, @executable: permissions
 * @name:       what the line says behind the inode, up to the line's end
 * @sz_name:    its length
 */
struct inject_mapping {
        uint64_t start, end;
        bool readable, writable, executable;
        const char *name;
        size_t sz_name;
};

/**
 * inject_mapping_next() - read a line of /proc/PID/maps
 * @text:       the text from this line on; set to the next one
 * @ret_mapping: set to the mapping
 *
 * Return: whether there is a line, of the known form.
 */
bool inject_mapping_next(const char **text, struct inject_mapping *ret_mapping);

/**
 * inject_code_search() - search bytes for the code
 * @bytes:      @size bytes of a process
 * @size:       how many
 * @addr:       their address
 * @code:       what is not known yet is set, if it is there
 *
 * Return: whether both are known now.
 */
bool inject_code_search(const uint8_t *bytes, size_t size, uint64_t addr, struct inject_code *code);

/**
 * inject_code_find() - find the code in a process
 * @pid:        process, or any of its threads
 * @maps:       text of its maps
 * @ret_code:   set to the code
 *
 * Return: 0; -ENOTSUP if it has none; -ENOMEM.
 */
int inject_code_find(pid_t pid, const char *maps, struct inject_code *ret_code);

/**
 * inject_code_is_there() - say whether code is still what it was
 * @pid:        process, or any of its threads
 * @code:       code
 */
bool inject_code_is_there(pid_t pid, const struct inject_code *code);

/**
 * inject_stack_find() - say how far down the stack that a thread is on reaches
 * @maps:       text of the maps of its process
 * @sp:         its stack pointer
 * @tls:        where it has its own variables
 * @ret_start:  set to the lowest address
 *
 * Programs may use any memory as a stack, with other things right below; a signal handler then has
 * a stack of its own. Only two kinds are known to have room: that of the first thread, and those
 * of threads that a C library has made, which have a guard below, and the thread's own variables
 * above.
 *
 * Return: 0, -EXDEV if the stack is of no known kind.
 */
int inject_stack_find(const char *maps, uint64_t sp, uint64_t tls, uint64_t *ret_start);
