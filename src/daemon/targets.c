/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which processes are monitored: targets_scan() is a look at all of them from top to bottom,
 * from those that are let go to those that are taken hold of. See manager.h.
 */

#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "array.h"
#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "process.h"
#include "unit.h"

/* Records of targets that come and go, a minute. */
#define TARGET_RECORDS_MAX 100

/* Where they come and go all the time, the journal would fill: begin a new minute. */
static void log_omitted(struct manager *manager, uint64_t now) {
        char field[64];
        const char *fields[] = { field, NULL };
        size_t nr = manager->target_log.nr;

        if (now - manager->target_log.since < 60 * USEC_PER_SEC)
                return;
        manager->target_log = (struct target_log) { .since = now };
        if (nr <= TARGET_RECORDS_MAX)
                return;
        (void) snprintf(field, sizeof(field), "DAMOND_NR_OMITTED=%zu", nr - TARGET_RECORDS_MAX);
        log_record(LOG_INFO, DAMOND_MESSAGE_TARGETS_OMITTED, fields,
                   "%zu more times a target came or went in a minute", nr - TARGET_RECORDS_MAX);
}

/* Log that something has become of a target. */
static void log_target(struct manager *manager, int level, const char *id, const char *name, pid_t pid,
                       const char *format, ...) _printf_(6, 7);

static void log_target(struct manager *manager, int level, const char *id, const char *name, pid_t pid,
                       const char *format, ...) {
        char name_field[128], pid_field[32], what[256];
        const char *fields[] = { name_field, pid_field, NULL };
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(what, sizeof(what), format, ap);
        va_end(ap);
        (void) snprintf(name_field, sizeof(name_field), "DAMOND_TARGET=%s", name);
        (void) snprintf(pid_field, sizeof(pid_field), "DAMOND_PID=%d", (int) pid);
        log_record(level, id, fields, "%s: process %d %s", name, (int) pid, what);
}

/* Of what comes and goes, a minute sees so many records; beyond them, it is for debugging. */
static void log_coming_or_going(struct manager *manager, const char *id, const char *name, pid_t pid,
                                const char *what) {
        log_omitted(manager, manager_now());
        log_target(manager, ++manager->target_log.nr > TARGET_RECORDS_MAX ? LOG_DEBUG : LOG_INFO, id, name,
                   pid, "%s", what);
}

static const struct attached *find_attached(const struct manager *manager, pid_t pid) {
        for (size_t i = 0; i < manager->nr_attached; i++)
                if (manager->attached[i].target->pid == pid)
                        return &manager->attached[i];
        return NULL;
}

static const struct plan_target *entry_of(const struct manager *manager, const struct attached *attached) {
        for (size_t i = 0; i < manager->plan->nr_targets; i++)
                if (strcmp(manager->plan->targets[i].name, attached->target->name) == 0)
                        return &manager->plan->targets[i];
        return NULL;
}

static bool has_exited(const struct attached *attached) {
        struct pollfd poll_fd = { .fd = page_idle_target_pidfd(attached->target), .events = POLLIN };

        return poll(&poll_fd, 1, 0) != 0;
}

static bool any_wants_children(const struct plan *plan) {
        for (size_t i = 0; i < plan->nr_targets; i++)
                if (plan->targets[i].children)
                        return true;
        return false;
}

/* The entry that the parent of a process is a target of, if that wants children. */
static int find_parents_entry(const struct manager *manager, pid_t pid) {
        const struct plan_target *entry;
        const struct attached *parent;

        if (!any_wants_children(manager->plan) || pid == getpid())
                return -ENOENT;
        parent = find_attached(manager, process_parent(manager->matcher.proc_fd, pid));
        /* As it still lives, its number has not come to mean another process. */
        if (!parent || has_exited(parent))
                return -ENOENT;
        entry = entry_of(manager, parent);
        return entry && entry->children ? (int) (entry - manager->plan->targets) : -ENOENT;
}

/* The entry that a process belongs to, by its own properties or else by its parent. */
static int find_entry(struct manager *manager, pid_t pid, bool *ret_inherited) {
        int entry = matcher_find(&manager->matcher, pid);

        *ret_inherited = entry < 0;
        return entry < 0 ? find_parents_entry(manager, pid) : entry;
}

static void detach(struct manager *manager, size_t i, const char *why) {
        struct attached attached = manager->attached[i];

        manager->attached[i] = manager->attached[--manager->nr_attached];
        /* before its descriptor is closed */
        sd_event_source_unref(attached.exit);
        log_coming_or_going(manager, DAMOND_MESSAGE_TARGET_GONE, attached.target->name, attached.target->pid,
                            why);
        damon_engine_remove_target(manager->engine, attached.target);
}

static int on_target_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct manager *manager = userdata;

        for (size_t i = 0; i < manager->nr_attached; i++)
                if (manager->attached[i].exit == source) {
                        detach(manager, i, "exited");
                        break;
                }
        return 0;
}

/* A process that shares its memory with a target would be sampled and acted on twice. */
static bool shares_memory(const struct manager *manager, pid_t pid) {
        for (size_t i = 0; i < manager->nr_attached; i++)
                if (process_same_memory(pid, manager->attached[i].target->pid))
                        return true;
        return false;
}

static int attach(struct manager *manager, size_t entry, pid_t pid) {
        const char *name = manager->plan->targets[entry].name;
        struct damon_target *target;
        sd_event_source *source;
        bool inherited;
        int r;

        r = ARRAY_GROW(manager->attached, manager->sz_attached, manager->nr_attached + 1);
        if (r < 0)
                return r;
        r = page_idle_target_new(manager->page_idle, name, pid, &target);
        if (r < 0)
                return r;
        r = sd_event_add_io(manager->event, &source, page_idle_target_pidfd(target), EPOLLIN, on_target_exit,
                            manager);
        if (r < 0) {
                page_idle_target_free(target);
                return r;
        }
        /* The selectors were read by number: only now is it certain of which process. */
        if (find_entry(manager, pid, &inherited) != (int) entry ||
            (!inherited &&
             !matcher_bind(&manager->matcher, entry, page_idle_target_start_time(target))))
                r = -ESRCH;
        else if (shares_memory(manager, pid))
                r = -EBUSY;
        else
                r = damon_engine_add_target(manager->engine, target);
        if (r < 0) {
                sd_event_source_unref(source);
                page_idle_target_free(target);
                return r;
        }
        (void) sd_event_source_set_description(source, "target-exit");
        manager->attached[manager->nr_attached++] = (struct attached) { target, source, inherited };
        return manager_start_ticking(manager);
}

static bool is_full(const struct manager *manager, const struct plan_target *entry) {
        uint32_t nr = 0;

        for (size_t i = 0; i < manager->nr_attached; i++)
                nr += entry_of(manager, &manager->attached[i]) == entry;
        return nr >= entry->max_processes;
}

static void turn_away(struct manager *manager, size_t entry) {
        const struct plan_target *target = &manager->plan->targets[entry];
        char name[128], max_processes[64];
        const char *fields[] = { name, max_processes, NULL };

        if (!matcher_full(&manager->matcher, entry, manager_now()))
                return;
        (void) snprintf(name, sizeof(name), "DAMOND_TARGET=%s", target->name);
        (void) snprintf(max_processes, sizeof(max_processes), "DAMOND_MAX_PROCESSES=%" PRIu32,
                        target->max_processes);
        log_record(LOG_WARNING, DAMOND_MESSAGE_TARGET_LIMIT, fields,
                   "%s: more processes belong to it than max_processes = %" PRIu32
                   ", the others are not monitored", target->name, target->max_processes);
}

static void try_attach(struct manager *manager, pid_t pid) {
        const char *name;
        bool inherited;
        int entry, r;

        if (find_attached(manager, pid))
                return;
        entry = find_entry(manager, pid, &inherited);
        if (entry < 0)
                return;
        if (is_full(manager, &manager->plan->targets[entry])) {
                turn_away(manager, (size_t) entry);
                return;
        }

        name = manager->plan->targets[entry].name;
        r = attach(manager, (size_t) entry, pid);
        if (r >= 0)
                log_coming_or_going(manager, DAMOND_MESSAGE_TARGET_ATTACHED, name, pid, "is monitored");
        else if (r == -ESRCH || r == -EBUSY || r == -ENOEXEC)
                log_debug("%s: process %d is not monitored now: %s", name, (int) pid, strerror(-r));
        else if (matcher_refuse(&manager->matcher, pid))
                log_target(manager, LOG_WARNING, DAMOND_MESSAGE_TARGET_REFUSED, name, pid,
                           "cannot be monitored: %s", strerror(-r));
}

/*
 * Whether a target still belongs to its entry. One that was inherited does as long as the entry is
 * there, also when its parent has ended, unless another one has come to select it by itself.
 */
static bool still_belongs(struct manager *manager, struct attached *attached) {
        const struct plan_target *own = entry_of(manager, attached);
        bool inherited;
        int entry;

        /* that is told by its event */
        if (has_exited(attached))
                return true;
        entry = find_entry(manager, attached->target->pid, &inherited);
        if (entry < 0)
                return attached->inherited && own && own->children;
        if (&manager->plan->targets[entry] != own)
                return false;
        attached->inherited = inherited;
        if (!inherited)
                /* an entry with a pid that is new means the process that it now is */
                (void) matcher_bind(&manager->matcher, (size_t) entry,
                                    page_idle_target_start_time(attached->target));
        return true;
}

/* Let go of what has come to be another process, by name, user or control group, or by a reload. */
static void detach_deselected(struct manager *manager) {
        for (size_t i = manager->nr_attached; i-- > 0;)
                if (!still_belongs(manager, &manager->attached[i]))
                        detach(manager, i, "is not selected any more");
}

void targets_drop_gone(struct manager *manager) {
        for (size_t i = manager->nr_attached; i-- > 0;)
                if (manager->attached[i].target->gone) {
                        pid_t pid = manager->attached[i].target->pid;

                        detach(manager, i, "ended its program");
                        try_attach(manager, pid);
                }
}

void targets_scan(struct manager *manager) {
        _cleanup_close_ int fd = openat(manager->matcher.proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *entry;
        DIR *dir;

        detach_deselected(manager);
        log_omitted(manager, manager_now());
        if (manager->plan->nr_targets == 0 || fd < 0)
                return;
        dir = fdopendir(fd);
        if (!dir)
                return;
        TAKE_FD(fd);
        while ((entry = readdir(dir)))
                if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                        try_attach(manager, (pid_t) strtol(entry->d_name, NULL, 10));
        closedir(dir);
        matcher_forget_ended(&manager->matcher);
}
