/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/maps: see maps.h. Format: Documentation/filesystems/proc.rst. */

#include "maps.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "array.h"
#include "macro.h"
#include "root.h"

void maps_done(struct maps *maps) {
        free(maps->ranges);
        free(maps->mappings);
        free(maps->text);
        *maps = (struct maps) {};
}

static bool has_prefix(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* @name: what the line says behind the inode, up to the line's end */
static bool is_memory(const char *name, size_t length) {
        static const char *const special[] = {
                "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]",
        };

        for (size_t i = 0; i < ELEMENTSOF(special); i++)
                if (length == strlen(special[i]) && memcmp(name, special[i], length) == 0)
                        return false;
        if (has_prefix(name, "/anon_hugepage") || has_prefix(name, "/dev/hugepages/"))
                return false;
        if (has_prefix(name, "/dev/"))
                return has_prefix(name, "/dev/zero") || has_prefix(name, "/dev/shm/");
        return true;
}

static int parse_hex(const char **p, uint64_t *ret) {
        uint64_t value = 0;
        size_t nr = 0;

        for (; nr < 17; nr++, (*p)++) {
                char c = **p;

                if (c >= '0' && c <= '9')
                        value = value << 4 | (uint64_t) (c - '0');
                else if (c >= 'a' && c <= 'f')
                        value = value << 4 | (uint64_t) (c - 'a' + 10);
                else
                        break;
        }
        if (nr == 0 || nr > 16)
                return -EBADMSG;
        *ret = value;
        return 0;
}

/* "START-END PERMISSIONS OFFSET DEVICE INODE [NAME]" of @length bytes; NAME may be empty */
static int parse_line(const char *line, size_t length, struct damon_range *ret_range,
                      struct mapping *ret_mapping) {
        struct mapping mapping = {};
        struct damon_range range;
        const char *p = line;

        if (parse_hex(&p, &range.start) < 0 || *p++ != '-' || parse_hex(&p, &range.end) < 0 ||
            *p != ' ' || range.start >= range.end)
                return -EBADMSG;
        for (unsigned i = 0; i < 4; i++) {      /* over four fields, to behind the inode */
                p += strspn(p, " ");
                if (*p == '\0' || *p == '\n')
                        return -EBADMSG;
                if (i == 0)
                        mapping.shared = memchr(p, 's', strcspn(p, " \n"));
                p += strcspn(p, " \n");
        }
        mapping.name = p + strspn(p, " ");
        mapping.length = (size_t) (line + length - mapping.name);
        *ret_mapping = mapping;
        *ret_range = range;
        return 0;
}

int maps_parse(struct maps *maps, const char *text) {
        maps->nr = 0;
        for (const char *line = text; *line != '\0';) {
                size_t length = strcspn(line, "\n");
                struct damon_range range;
                struct mapping mapping;
                int r;

                r = parse_line(line, length, &range, &mapping);
                if (r < 0)
                        return r;
                /* The kernel writes a page of text at a time, and mappings change in between: one
                 * may come again, from its old start to a new end. */
                if (maps->nr > 0)
                        range.start = MAX(range.start, maps->ranges[maps->nr - 1].end);
                if (range.start < range.end && is_memory(mapping.name, mapping.length)) {
                        r = ARRAY_GROW(maps->ranges, maps->capacity, maps->nr + 1);
                        if (r < 0)
                                return r;
                        r = ARRAY_GROW(maps->mappings, maps->sz_mappings, maps->nr + 1);
                        if (r < 0)
                                return r;
                        maps->mappings[maps->nr] = mapping;
                        maps->ranges[maps->nr++] = range;
                }
                line += length + (line[length] == '\n');
        }
        return 0;
}

int maps_read(struct maps *maps, int dir_fd) {
        int r;

        r = root_read_all(dir_fd, "maps", &maps->text, &maps->sz_text);
        if (r == -ENOENT)
                return -ESRCH;
        if (r < 0)
                return r;
        return maps_parse(maps, maps->text);
}
