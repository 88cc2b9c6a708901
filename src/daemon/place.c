/* SPDX-License-Identifier: GPL-2.0-only */
/* In which unit, slice and control group a process is: see place.h. */

#include "place.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "array.h"
#include "macro.h"
#include "root.h"

/* What is longer is not remembered. */
#define TEXT_MAX 4096

static void place_done(struct place *place) {
        free(place->text);
        free(place->unit);
        free(place->slice);
        free(place->cgroup);
        *place = (struct place) {};
}

/* Return: length of the text, below 1 if there is none that identifies a place. */
static int read_text(int proc_fd, pid_t pid, char text[static TEXT_MAX]) {
        char path[32];
        int length;

        (void) snprintf(path, sizeof(path), "%d/cgroup", (int) pid);
        length = root_read(proc_fd, path, text, TEXT_MAX);
        return length < TEXT_MAX - 1 ? length : -E2BIG;
}

static char *ask(int (*get)(pid_t pid, char **ret), pid_t pid) {
        char *answer;

        return get(pid, &answer) < 0 ? strdup("") : answer;
}

static void ask_all(struct place *place, pid_t pid) {
        place_done(place);
        place->unit = ask(sd_pid_get_unit, pid);
        place->slice = ask(sd_pid_get_slice, pid);
        place->cgroup = ask(sd_pid_get_cgroup, pid);
}

static struct place *find_known(const struct places *places, const char *text, size_t length) {
        for (size_t i = 0; i < places->nr; i++)
                if (places->items[i].length == length && memcmp(places->items[i].text, text, length) == 0)
                        return &places->items[i];
        return NULL;
}

/* Remember the other one, if the process was there all the time while it was asked for. */
static struct place *remember(struct places *places, int proc_fd, pid_t pid, const char *text, size_t length) {
        struct place *other = &places->other;
        char again[TEXT_MAX];

        if (!other->unit || !other->slice || !other->cgroup ||
            read_text(proc_fd, pid, again) != (int) length || memcmp(again, text, length) != 0 ||
            ARRAY_GROW(places->items, places->sz, places->nr + 1) < 0)
                return NULL;
        other->text = strndup(text, length);
        if (!other->text)
                return NULL;
        other->length = length;
        places->items[places->nr] = *other;
        *other = (struct place) {};
        return &places->items[places->nr++];
}

const struct place *places_find(struct places *places, int proc_fd, pid_t pid) {
        struct place *place;
        char text[TEXT_MAX];
        int length;

        length = read_text(proc_fd, pid, text);
        place = length > 0 ? find_known(places, text, (size_t) length) : NULL;
        if (!place) {
                ask_all(&places->other, pid);
                if (length > 0)
                        place = remember(places, proc_fd, pid, text, (size_t) length);
        }
        if (!place)
                return &places->other;
        place->seen = true;
        return place;
}

void places_forget_empty(struct places *places) {
        size_t kept = 0;

        for (size_t i = 0; i < places->nr; i++)
                if (places->items[i].seen) {
                        places->items[i].seen = false;
                        places->items[kept++] = places->items[i];
                } else
                        place_done(&places->items[i]);
        places->nr = kept;
}

void places_done(struct places *places) {
        for (size_t i = 0; i < places->nr; i++)
                place_done(&places->items[i]);
        place_done(&places->other);
        free(places->items);
        *places = (struct places) {};
}
