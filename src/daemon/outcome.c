/* SPDX-License-Identifier: GPL-2.0-only */
/* What actions really did, and which schemes are held back for that. See manager.h. */

#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "log.h"
#include "macro.h"
#include "message-ids.h"
#include "metrics.h"
#include "unit.h"

/* To read two files costs some tens of microseconds. */
#define PRESSURE_INTERVAL USEC_PER_SEC

/* What stayed where it was, each reason in words. */
static size_t format_refused(const struct damos_outcome *outcome, char *buf, size_t size) {
        static const char *const reasons[_DAMOS_REFUSAL_MAX] = {
                [DAMOS_REFUSED_SHARED] = "shared",
                [DAMOS_REFUSED_LOCKED] = "locked",
                [DAMOS_REFUSED_NO_SWAP] = "no room in swap",
                [DAMOS_REFUSED_SPLIT] = "part of a huge page",
                [DAMOS_REFUSED_OTHER] = "other",
        };
        char bytes[UNIT_STRING_MAX];
        size_t n = 0;

        for (size_t i = 0; i < _DAMOS_REFUSAL_MAX && n < size; i++)
                if (outcome->sz_refused[i] > 0)
                        n += (size_t) snprintf(buf + n, size - n, "%s%s %s", n > 0 ? ", " : "", reasons[i],
                                               unit_format_size_short(bytes, outcome->sz_refused[i]));
        return n;
}

static void format_words(const struct damos_outcome *outcome, char *buf, size_t size) {
        uint64_t refused = damos_outcome_refused(outcome);
        char moved[UNIT_STRING_MAX], returned[UNIT_STRING_MAX], stayed[UNIT_STRING_MAX], why[160] = "";
        size_t n;

        buf[0] = '\0';
        if (outcome->sz_moved == 0 && refused == 0)
                return;
        n = (size_t) snprintf(buf, size, ", moved %s, of which %s came back",
                              unit_format_size_short(moved, outcome->sz_moved),
                              unit_format_size_short(returned, outcome->sz_returned));
        if (format_refused(outcome, why, sizeof(why)) > 0 && n < size)
                (void) snprintf(buf + n, size - n, ", %s stayed (%s)",
                                unit_format_size_short(stayed, refused), why);
}

void outcome_format(const struct damos_outcome *outcome, struct outcome_text *ret_text) {
        static const char *const names[] = {
                "DAMOND_SZ_MOVED=", "DAMOND_SZ_RETURNED=",
                "DAMOND_SZ_REFUSED_SHARED=", "DAMOND_SZ_REFUSED_LOCKED=", "DAMOND_SZ_REFUSED_NO_SWAP=",
                "DAMOND_SZ_REFUSED_SPLIT=", "DAMOND_SZ_REFUSED_OTHER=",
        };
        uint64_t values[ELEMENTSOF(names)] = { outcome->sz_moved, outcome->sz_returned };
        size_t size = sizeof(ret_text->numbers), n;

        n = (size_t) snprintf(ret_text->numbers, size, " sz_moved=%" PRIu64 " sz_returned=%" PRIu64,
                              outcome->sz_moved, outcome->sz_returned);
        for (size_t i = 0; i < _DAMOS_REFUSAL_MAX; i++) {
                values[2 + i] = outcome->sz_refused[i];
                n += (size_t) snprintf(ret_text->numbers + n, size - n, " sz_refused_%s=%" PRIu64,
                                       damos_refusal_to_string((enum damos_refusal) i), outcome->sz_refused[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void) snprintf(ret_text->buf[i], sizeof(ret_text->buf[i]), "%s%" PRIu64, names[i], values[i]);
                ret_text->fields[i] = ret_text->buf[i];
        }
        ret_text->fields[ELEMENTSOF(names)] = NULL;
        format_words(outcome, ret_text->words, sizeof(ret_text->words));
}

static void tell_guard(const struct damos *scheme, const struct damos_swap *swap) {
        const struct damos_guard *guard = &scheme->guard;
        enum damos_guard_reason reason = damos_guard_reason(guard);
        char name[128], back[UNIT_STRING_MAX], out[UNIT_STRING_MAX];
        const char *fields[] = { name, NULL };

        (void) snprintf(name, sizeof(name), "DAMOND_SCHEME=%s", scheme->name);
        if (reason == DAMOS_GUARD_NONE)
                log_record(LOG_INFO, DAMOND_MESSAGE_GUARD_OVER, fields, "scheme %s is not held back any more",
                           scheme->name);
        else if (reason == DAMOS_GUARD_RETURNED)
                log_record(LOG_WARNING, DAMOND_MESSAGE_GUARD, fields,
                           "scheme %s is held back: of %s that it has paged out of late, %s came back",
                           scheme->name, unit_format_size_short(out, guard->cause_out),
                           unit_format_size_short(back, guard->cause_back));
        else if (reason == DAMOS_GUARD_PRESSURE)
                log_record(LOG_WARNING, DAMOND_MESSAGE_GUARD, fields,
                           "scheme %s is held back: programs wait for memory, and while it paged out %s, %s came "
                           "back to the machine",
                           scheme->name, unit_format_size_short(out, guard->cause_out),
                           unit_format_size_short(back, guard->cause_back));
        else if (swap->size == 0)
                log_record(LOG_WARNING, DAMOND_MESSAGE_GUARD, fields,
                           "scheme %s is held back: there is no swap", scheme->name);
        else
                log_record(LOG_WARNING, DAMOND_MESSAGE_GUARD, fields,
                           "scheme %s is held back: of %s of swap, %s are free", scheme->name,
                           unit_format_size_short(out, swap->size), unit_format_size_short(back, swap->free));
}

void outcome_look(struct manager *manager) {
        struct damos_pressure pressure;
        struct damos_swap swap = {};
        uint64_t now = manager_now();
        const struct damos *schemes;
        struct sysinfo info;
        size_t nr;

        if (sysinfo(&info) == 0) {
                swap = (struct damos_swap) {
                        .size = (uint64_t) info.totalswap * info.mem_unit,
                        .free = (uint64_t) info.freeswap * info.mem_unit,
                };
                damon_engine_set_swap(manager->engine, &swap);
        }
        if (now - manager->pressure_at >= PRESSURE_INTERVAL) {
                manager->pressure_at = now;
                /* a kernel may not tell */
                if (metrics_read_pressure(manager->matcher.proc_fd, &pressure) >= 0)
                        damon_engine_set_pressure(manager->engine, &pressure);
        }
        schemes = damon_engine_schemes(manager->engine, &nr);
        for (size_t i = 0; i < nr; i++) {
                struct scheme_log *logged = &manager->logged[i];
                enum damos_guard_reason reason = damos_guard_reason(&schemes[i].guard);

                if ((reason == DAMOS_GUARD_NONE) != (logged->guard == DAMOS_GUARD_NONE))
                        tell_guard(&schemes[i], &swap);
                logged->guard = reason;
        }
}
