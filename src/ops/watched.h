/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What the parts of the operations keep for a target, behind &damon_target.ops_data.
 */

#include <damond/target.h>

#include "huge.h"
#include "process.h"
#include "resident.h"

/**
 * struct watched - a process as a target
 * @process:    its files, held open
 * @resident:   which parts of it are in memory
 * @huge:       what it was told of huge pages
 */
struct watched {
        struct process process;
        struct resident resident;
        struct huge_target huge;
};

/** process_of() - the process of a target */
static inline const struct process *process_of(const struct damon_target *target) {
        const struct watched *watched = target->ops_data;

        return &watched->process;
}
