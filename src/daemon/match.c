/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes the plan selects: see match.h. */

#include "match.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "macro.h"
#include "path.h"
#include "root.h"
#include "unit.h"

/* Bytes of the arguments of a process that are looked at. */
#define CMDLINE_MAX (32 * 1024)

void matcher_done(struct matcher *matcher) {
        free(matcher->bindings);
        free(matcher->refusals);
        places_done(&matcher->places);
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

/*
 * What is known of the process that is looked at, each read when first asked for. Strings of a
 * process that cannot be read, or has none, are empty.
 */
struct candidate {
        int proc_fd;
        pid_t pid;
        struct places *places;
        const struct place *place;
        char comm[64];
        char exe[PATH_MAX];
        char *cmdline;
};

static void candidate_done(struct candidate *candidate) {
        free(candidate->cmdline);
}

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

/* The arguments, as a shell would be given them, but for quotes. */
static const char *read_cmdline(struct candidate *candidate) {
        char path[32];
        int length;

        if (candidate->cmdline)
                return candidate->cmdline;
        candidate->cmdline = malloc(CMDLINE_MAX + 1);
        if (!candidate->cmdline)
                return "";
        (void) snprintf(path, sizeof(path), "%d/cmdline", (int) candidate->pid);
        length = root_read(candidate->proc_fd, path, candidate->cmdline, CMDLINE_MAX + 1);
        while (length > 0 && candidate->cmdline[length - 1] == '\0')
                length--;
        candidate->cmdline[MAX(length, 0)] = '\0';
        for (int i = 0; i < length; i++)
                if (candidate->cmdline[i] == '\0')
                        candidate->cmdline[i] = ' ';
        return candidate->cmdline;
}

static const struct place *find_place(struct candidate *candidate) {
        if (!candidate->place)
                candidate->place = places_find(candidate->places, candidate->proc_fd, candidate->pid);
        return candidate->place;
}

/*
 * The effective user owns the directory of a process in /proc, also where the files in it belong
 * to root because the process has changed its user: task_dump_owner() in fs/proc/base.c,
 * Linux 6.12.
 */
static bool runs_as(const struct candidate *candidate, uid_t uid) {
        char path[16];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%d", (int) candidate->pid);
        return fstatat(candidate->proc_fd, path, &st, 0) == 0 && st.st_uid == uid;
}

/* The slice "a-b.slice" lies in "a.slice": systemd.slice(5). */
static bool in_slice(const char *slice, const char *glob) {
        static const char suffix[] = ".slice";
        char name[NAME_MAX + 1];
        char *end;

        (void) snprintf(name, sizeof(name), "%s", slice ?: "");
        for (;;) {
                if (fnmatch(glob, name, FNM_NOESCAPE) == 0)
                        return true;
                end = strrchr(name, '-');
                if (!end || end == name)
                        return false;
                memcpy(end, suffix, sizeof(suffix));
        }
}

/*
 * A process that is in no unit, such as a kernel thread, is in no slice either. Names of units have
 * backslashes in them, which stand for themselves.
 */
static bool in_unit(struct candidate *candidate, const char *glob) {
        const struct place *place = find_place(candidate);

        return place->unit && place->unit[0] != '\0' &&
               (fnmatch(glob, place->unit, FNM_NOESCAPE) == 0 || in_slice(place->slice, glob));
}

static bool in_cgroup(struct candidate *candidate, const char *glob) {
        return path_is_in(find_place(candidate)->cgroup ?: "", glob);
}

/* What costs least comes first. */
static bool entry_selects(const struct plan_target *entry, struct candidate *candidate) {
        if (entry->pid != 0 && entry->pid != candidate->pid)
                return false;
        if (entry->user && !runs_as(candidate, entry->uid))
                return false;
        if (entry->comm && (!read_comm(candidate) || fnmatch(entry->comm, candidate->comm, 0) != 0))
                return false;
        if (entry->exe && (!read_exe(candidate) || fnmatch(entry->exe, candidate->exe, 0) != 0))
                return false;
        if (entry->unit && !in_unit(candidate, entry->unit))
                return false;
        if (entry->cgroup && !in_cgroup(candidate, entry->cgroup))
                return false;
        if (entry->cmdline && (read_cmdline(candidate)[0] == '\0' ||
                               regexec(&entry->cmdline_regex, candidate->cmdline, 0, NULL, 0) != 0))
                return false;
        return true;
}

int matcher_find(struct matcher *matcher, pid_t pid) {
        _cleanup_(candidate_done) struct candidate candidate = {
                .proc_fd = matcher->proc_fd,
                .pid = pid,
                .places = &matcher->places,
        };

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

bool matcher_full(struct matcher *matcher, size_t entry, uint64_t now) {
        struct binding *binding = &matcher->bindings[entry];
        bool news = binding->full_at == 0 || now - binding->full_at >= 60 * USEC_PER_SEC;

        binding->full_at = now;
        return news;
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
        places_forget_empty(&matcher->places);
}
