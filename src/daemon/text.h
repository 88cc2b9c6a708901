/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * Code and constants in memory, of the program and its libraries. The start, which links them all and
 * reads the configuration, touches more of them than what runs afterwards.
 */

#include <stdint.h>

/**
 * text_let_go() - unmap all code and constants
 *
 * What is needed comes back from the page cache at once, by minor faults, each with up to 64 KiB around it
 * (fault_around_bytes of mm/memory.c, Linux 6.12). The rest is no longer resident here, and what no other
 * process maps is the first that the kernel takes when it runs short. What was written to, as
 * breakpoints are, stays.
 *
 * Allocates nothing.
 *
 * Return: bytes that were unmapped, or a negative errno.
 */
int64_t text_let_go(void);
