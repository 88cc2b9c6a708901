/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is in a process to make a system call with: see inject-code.h. */

#include "inject-code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "macro.h"

/* Code is read in steps of this, and so much of it at most. */
#define STEP (UINT64_C(256) << 10)
#define SEARCH_MAX (UINT64_C(64) << 20)

/* No code that is searched for is longer. */
#define CODE_MAX 16

bool inject_mapping_next(const char **text, struct inject_mapping *ret_mapping) {
        const char *line = *text, *end = line + strcspn(line, "\n");
        struct inject_mapping mapping = {};
        char *p;

        mapping.start = strtoull(line, &p, 16);
        if (p == line || *p != '-')
                return false;
        mapping.end = strtoull(p + 1, &p, 16);
        if (*p != ' ' || end - p < 5 || mapping.end <= mapping.start)
                return false;
        mapping.readable = p[1] == 'r';
        mapping.writable = p[2] == 'w';
        mapping.executable = p[3] == 'x';
        mapping.name = p + 1;
        for (unsigned i = 0; i < 4; i++) {      /* permissions, offset, device, inode */
                mapping.name += strcspn(mapping.name, " \n");
                mapping.name += strspn(mapping.name, " ");
        }
        mapping.sz_name = (size_t) (end - mapping.name);
        *text = end + (*end == '\n');
        *ret_mapping = mapping;
        return true;
}

static uint64_t search_one(const uint8_t *bytes, size_t size, uint64_t addr, const struct inject_bytes *what) {
        const uint8_t *p = bytes;

        while ((p = memmem(p, size - (size_t) (p - bytes), what->bytes, what->length))) {
                uint64_t found = addr + (uint64_t) (p - bytes);

                if (found % inject_arch_align == 0)
                        return found;
                p++;
        }
        return 0;
}

bool inject_code_search(const uint8_t *bytes, size_t size, uint64_t addr, struct inject_code *code) {
        if (code->call == 0)
                code->call = search_one(bytes, size, addr, &inject_arch_call);
        for (const struct inject_bytes *what = inject_arch_sigreturns; code->sigreturn == 0 && what->length > 0; what++)
                code->sigreturn = search_one(bytes, size, addr, what);
        return code->call != 0 && code->sigreturn != 0;
}

/* Return: how much could be read. */
static size_t read_memory(pid_t pid, uint64_t addr, void *buf, size_t size) {
        struct iovec local = { buf, size }, remote = { (void *) (uintptr_t) addr, size };
        ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

        return n < 0 ? 0 : (size_t) n;
}

static bool search_mapping(pid_t pid, const struct inject_mapping *mapping, uint8_t *buf, uint64_t *left,
                           struct inject_code *code) {
        for (uint64_t addr = mapping->start; addr < mapping->end && *left > 0; addr += STEP) {
                /* what lies across a border is found with what is before it */
                size_t size = (size_t) MIN(STEP + CODE_MAX, mapping->end - addr);
                size_t n = read_memory(pid, addr, buf, size);

                if (inject_code_search(buf, n, addr, code))
                        return true;
                if (n < size)
                        return false;
                *left -= MIN(*left, STEP);
        }
        return false;
}

/* A C library has both, and is not large. */
static bool is_likely(const struct inject_mapping *mapping) {
        static const char *const names[] = { "/libc.so", "/libc-", "/ld-musl", "[vdso]" };
        char name[256];
        size_t length = MIN(mapping->sz_name, sizeof(name) - 1);

        memcpy(name, mapping->name + mapping->sz_name - length, length);
        name[length] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strstr(name, names[i]))
                        return true;
        return false;
}

int inject_code_find(pid_t pid, const char *maps, struct inject_code *ret_code) {
        _cleanup_free_ uint8_t *buf = malloc(STEP + CODE_MAX);
        uint64_t left = SEARCH_MAX;
        struct inject_code code = {};

        if (!buf)
                return -ENOMEM;
        for (unsigned likely = 2; likely-- > 0;) {
                const char *text = maps;
                struct inject_mapping mapping;

                while (inject_mapping_next(&text, &mapping)) {
                        if (!mapping.executable || !mapping.readable || is_likely(&mapping) != likely)
                                continue;
                        if (search_mapping(pid, &mapping, buf, &left, &code)) {
                                *ret_code = code;
                                return 0;
                        }
                }
        }
        return -ENOTSUP;
}

static bool is_there(pid_t pid, uint64_t addr, const struct inject_bytes *what) {
        uint8_t buf[CODE_MAX];

        return read_memory(pid, addr, buf, what->length) == what->length &&
               memcmp(buf, what->bytes, what->length) == 0;
}

bool inject_code_is_there(pid_t pid, const struct inject_code *code) {
        if (code->call == 0 || !is_there(pid, code->call, &inject_arch_call))
                return false;
        for (const struct inject_bytes *what = inject_arch_sigreturns; what->length > 0; what++)
                if (is_there(pid, code->sigreturn, what))
                        return true;
        return false;
}

int inject_stack_find(const char *maps, uint64_t sp, uint64_t tls, uint64_t *ret_start) {
        struct inject_mapping mapping, below = {};

        for (const char *text = maps; inject_mapping_next(&text, &mapping); below = mapping) {
                bool first, made;

                if (sp < mapping.start || sp >= mapping.end)
                        continue;
                first = mapping.sz_name == strlen("[stack]") &&
                        memcmp(mapping.name, "[stack]", strlen("[stack]")) == 0;
                made = tls > sp && tls < mapping.end && below.end == mapping.start && !below.readable &&
                       !below.writable && !below.executable;
                if (!mapping.writable || (!first && !made))
                        return -EXDEV;
                *ret_start = mapping.start;
                return 0;
        }
        return -EXDEV;
}
