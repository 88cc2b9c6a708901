/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes the plan selects: see match.h. */

#include "match.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "macro.h"
#include "root.h"

void matcher_done(struct matcher *matcher) {
        free(matcher->bindings);
        free(matcher->refusals);
        *matcher = (struct matcher) { .proc_fd = -1 };
}

struct binding *matcher_prepare(const struct matcher *matcher, const struct plan *plan) {
        struct binding *bindings = calloc(plan->nr_targets + 1, sizeof(*bindings));

        for (size_t i = 0; bindings && i < plan->nr_targets; i++)
                for (size_t k = 0; matcher->plan && k < matcher->plan->nr_targets; k++)
                        if (plan_target_equal(&plan->targets[i], &matcher->plan->targets[k]))
                                bindings[i] = matcher->bindings[k];
        return bindings;
}

void matcher_take(struct matcher *matcher, const struct plan *plan, struct binding *bindings) {
        free(matcher->bindings);
        matcher->bindings = bindings;
        matcher->plan = plan;
}

/* What is known of the process that is looked at, each read when first asked for. */
struct candidate {
        int proc_fd;
        pid_t pid;
        char comm[64];
        char exe[PATH_MAX];
};

static bool read_comm(struct candidate *candidate) {
        char path[32];
        int length;

        if (candidate->comm[0] != '\0')
                return true;
        (void) snprintf(path, sizeof(path), "%d/comm", (int) candidate->pid);
        length = root_read(candidate->proc_fd, path, candidate->comm, sizeof(candidate->comm));
        if (length <= 0)
                return false;
        if (candidate->comm[length - 1] == '\n')
                candidate->comm[length - 1] = '\0';
        return true;
}

static bool read_exe(struct candidate *candidate) {
        static const char deleted[] = " (deleted)";
        char path[32];
        ssize_t length;

        if (candidate->exe[0] != '\0')
                return true;
        (void) snprintf(path, sizeof(path), "%d/exe", (int) candidate->pid);
        length = readlinkat(candidate->proc_fd, path, candidate->exe, sizeof(candidate->exe) - 1);
        if (length <= 0)
                return false;
        candidate->exe[length] = '\0';
        /* a program that was upgraded while it runs still is that program */
        if ((size_t) length > strlen(deleted) &&
            strcmp(candidate->exe + length - strlen(deleted), deleted) == 0)
                candidate->exe[(size_t) length - strlen(deleted)] = '\0';
        return true;
}

static bool entry_selects(const struct plan_target *entry, struct candidate *candidate) {
        if (entry->pid != 0 && entry->pid != candidate->pid)
                return false;
        if (entry->comm && (!read_comm(candidate) || fnmatch(entry->comm, candidate->comm, 0) != 0))
                return false;
        if (entry->exe && (!read_exe(candidate) || fnmatch(entry->exe, candidate->exe, 0) != 0))
                return false;
        return true;
}

int matcher_find(const struct matcher *matcher, pid_t pid) {
        struct candidate candidate = { .proc_fd = matcher->proc_fd, .pid = pid };

        if (pid <= 1 || pid == getpid())
                return -ENOENT;
        for (size_t i = 0; i < matcher->plan->nr_targets; i++)
                if (!matcher->bindings[i].ended &&
                    entry_selects(&matcher->plan->targets[i], &candidate))
                        return (int) i;
        return -ENOENT;
}

bool matcher_bind(struct matcher *matcher, size_t entry, uint64_t start_time) {
        struct binding *binding = &matcher->bindings[entry];

        if (matcher->plan->targets[entry].pid == 0)
                return true;
        if (binding->start_time == 0)
                binding->start_time = start_time;
        binding->ended = binding->start_time != start_time;
        return !binding->ended;
}

bool matcher_refuse(struct matcher *matcher, pid_t pid) {
        for (size_t i = 0; i < matcher->nr_refusals; i++)
                if (matcher->refusals[i].pid == pid) {
                        matcher->refusals[i].seen = true;
                        return false;
                }
        if (ARRAY_GROW(matcher->refusals, matcher->sz_refusals, matcher->nr_refusals + 1) < 0)
                return false;
        matcher->refusals[matcher->nr_refusals++] = (struct refusal) { pid, true };
        return true;
}

void matcher_forget_ended(struct matcher *matcher) {
        size_t kept = 0;

        for (size_t i = 0; i < matcher->nr_refusals; i++)
                if (matcher->refusals[i].seen)
                        matcher->refusals[kept++] = (struct refusal) { matcher->refusals[i].pid, false };
        matcher->nr_refusals = kept;
}
