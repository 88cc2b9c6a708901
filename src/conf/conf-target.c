/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-target.h. */

#include "conf-target.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "conf-values.h"

/* TASK_COMM_LEN of the kernel without the NUL */
#define COMM_MAX 15
/* UNIT_NAME_MAX of systemd without the NUL */
#define UNIT_NAME_MAX 255
/* The number behind it is (uid_t) -1, which is no user. */
#define USER_MAX 4294967294
#define PROCESSES_MAX 10000

#define CGROUP_ROOT "/sys/fs/cgroup"

#define DIGITS "0123456789"
#define GLOB_CHARACTERS "*?["
#define UNIT_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS \
        ":-_.\\@" GLOB_CHARACTERS "]!^"

#define EXPECTED_PID "a process ID above 1, without quotes"
#define EXPECTED_COMM "a command name or pattern in a string, such as \"postgres\" or \"nginx*\""
#define EXPECTED_EXE "an absolute path or pattern in a string, such as \"/usr/sbin/ngin*\""
#define EXPECTED_CMDLINE "an extended regular expression in a string, such as \"-jar [^ ]*app\""
#define EXPECTED_USER "the name or number of a user in a string, such as \"postgres\""
#define EXPECTED_UNIT \
        "the name of a systemd unit or a pattern in a string, such as \"nginx.service\""
#define EXPECTED_CGROUP \
        "the path of a control group below " CGROUP_ROOT " or a pattern, such as \"/user.slice\""
#define EXPECTED_MAX_PROCESSES "a whole number from 1 to 10000, without quotes"

void conf_parse_pid(struct conf_context *context, const config_setting_t *setting, void *to) {
        pid_t *pid = to;
        int value;

        if (conf_integer(context, setting, 2, INT_MAX, EXPECTED_PID, &value))
                *pid = value;
}

void conf_parse_comm(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_COMM);
        char **comm = to;

        if (!text)
                return;
        if (text[0] == '\0')
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_COMM);
        else if (strlen(text) > COMM_MAX && !strpbrk(text, GLOB_CHARACTERS "\\"))
                conf_error_at(context, setting, "%s: \"%.80s\" never "
                              "matches as the kernel cuts command names to %d bytes, expected "
                              "\"%.*s\"", conf_label(setting), text, COMM_MAX, COMM_MAX, text);
        else
                *comm = conf_copy(context, text);
}

void conf_parse_exe(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_EXE);
        char **exe = to;

        if (!text)
                return;
        if (text[0] == '\0' || !strchr("/" GLOB_CHARACTERS, text[0]))
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_EXE);
        else
                *exe = conf_copy(context, text);
}

void conf_parse_cmdline(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_CMDLINE);
        struct plan_target *target = to;
        char why[128];
        int r;

        if (!text)
                return;
        if (text[0] == '\0')
                return conf_value_error(context, setting, text, -EINVAL, EXPECTED_CMDLINE);

        r = regcomp(&target->cmdline_regex, text, REG_EXTENDED | REG_NOSUB);
        if (r == REG_ESPACE) {
                context->out_of_memory = true;
        } else if (r != 0) {
                (void) regerror(r, &target->cmdline_regex, why, sizeof(why));
                conf_error_at(context, setting, "%s: \"%.80s\" is no regular expression: %s, "
                              "expected %s%s", conf_label(setting), text, why, EXPECTED_CMDLINE,
                              r == REG_BADRPT && strchr(text, '*') ? "; \"*\" alone stands for nothing here, \".*\" "
                              "does for any characters" : "");
        } else {
                target->cmdline = conf_copy(context, text);
                if (!target->cmdline)
                        regfree(&target->cmdline_regex);
        }
}

static int parse_uid(const char *text, uid_t *ret) {
        unsigned long long number;

        errno = 0;
        number = strtoull(text, NULL, 10);
        if (errno != 0 || number > USER_MAX)
                return -ERANGE;
        *ret = (uid_t) number;
        return 0;
}

static int find_uid(const char *name, uid_t *ret) {
        const struct passwd *entry;

        errno = 0;
        entry = getpwnam(name);
        if (!entry)
                /* Not to find a name is no error to getpwnam(), or one of several. */
                return errno == ENOMEM || errno == EIO || errno == EMFILE || errno == ENFILE ?
                        -errno : -ENOENT;
        *ret = entry->pw_uid;
        return 0;
}

void conf_parse_user(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_USER);
        struct plan_target *target = to;
        int r;

        if (!text)
                return;
        if (text[0] == '\0')
                return conf_value_error(context, setting, text, -EINVAL, EXPECTED_USER);

        r = strspn(text, DIGITS) == strlen(text) ? parse_uid(text, &target->uid)
                : find_uid(text, &target->uid);
        if (r == 0)
                target->user = conf_copy(context, text);
        else if (r == -ENOMEM)
                context->out_of_memory = true;
        else if (r == -ERANGE)
                conf_value_error(context, setting, text, r, EXPECTED_USER);
        else if (r == -ENOENT)
                conf_error_at(context, setting, "%s: there is no user \"%.80s\", expected %s",
                              conf_label(setting), text, EXPECTED_USER);
        else
                conf_error_at(context, setting, "%s: \"%.80s\" cannot be looked up: %s",
                              conf_label(setting), text, strerror(-r));
}

/* Kinds of units that processes belong to, and others */
static const char *const kinds[] = { "mount", "scope", "service", "slice", "socket", "swap", NULL };
static const char *const other_kinds[] = { "automount", "device", "path", "target", "timer", NULL };

/* What is behind the last dot of a name, or NULL. */
static const char *suffix_of(const char *name) {
        const char *dot = strrchr(name, '.');

        return dot ? dot + 1 : NULL;
}

static bool ends_in_one_of(const char *name, const char *const *suffixes) {
        const char *suffix = suffix_of(name);

        for (; suffix && *suffixes; suffixes++)
                if (strcmp(suffix, *suffixes) == 0)
                        return true;
        return false;
}

/* Why no process can belong to such a unit, or NULL. */
static const char *unit_without_processes(const char *name) {
        const char *suffix = suffix_of(name);

        if (ends_in_one_of(name, other_kinds))
                return "no process belongs to units of this kind";
        if (suffix && suffix > name + 1 && suffix[-2] == '@')
                return "no process belongs to a template";
        return NULL;
}

/* The kind that was meant by one that there is not, or NULL. Names of services have dots, too. */
static const char *misspelled_kind(const char *name) {
        struct conf_words words = { .word = suffix_of(name) };

        if (!words.word || ends_in_one_of(name, kinds) || ends_in_one_of(name, other_kinds))
                return NULL;
        for (const char *const *kind = kinds; *kind; kind++)
                conf_words_consider(&words, *kind);
        return words.best && words.distance * 3 <= strlen(words.best) ? words.best : NULL;
}

/* Returns the name with a suffix, or NULL without memory. */
static char *complete_unit(struct conf_context *context, const char *name) {
        char *completed;

        if (strpbrk(name, GLOB_CHARACTERS) || ends_in_one_of(name, kinds))
                return conf_copy(context, name);
        if (asprintf(&completed, "%s.service", name) < 0) {
                context->out_of_memory = true;
                return NULL;
        }
        return completed;
}

void conf_parse_unit(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_UNIT), *why, *kind;
        _cleanup_free_ char *name = NULL;
        char **unit = to;

        if (!text)
                return;
        why = unit_without_processes(text);
        if (!why) {
                name = complete_unit(context, text);
                if (!name)
                        return;
                why = unit_without_processes(name);
        }
        kind = misspelled_kind(text);
        if (text[0] == '\0' || text[0] == '.' || strspn(text, UNIT_CHARACTERS) != strlen(text))
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_UNIT);
        else if (why)
                conf_error_at(context, setting, "%s: \"%.80s\" never "
                              "matches as %s, expected %s", conf_label(setting), text, why,
                              EXPECTED_UNIT);
        else if (kind)
                conf_error_at(context, setting, "%s: \"%.80s\" is of no kind of unit, did you mean "
                              "\"%.*s%s\"? A service of that name is \"%.80s.service\"",
                              conf_label(setting), text,
                              (int) MIN(suffix_of(text) - text, (ptrdiff_t) 80), text, kind, text);
        else if (strlen(name) > UNIT_NAME_MAX)
                conf_error_at(context, setting, "%s: \"%.80s...\" never "
                              "matches as names of units have at most %d characters, expected %s",
                              conf_label(setting), text, UNIT_NAME_MAX, EXPECTED_UNIT);
        else
                *unit = TAKE_PTR(name);
}

/* The kernel shows such paths of no control group. */
static bool is_odd_path(const char *path) {
        size_t length = strlen(path);

        return length >= PATH_MAX || (length > 1 && path[length - 1] == '/') ||
                strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../");
}

void conf_parse_cgroup(struct conf_context *context, const config_setting_t *setting, void *to) {
        const char *text = conf_string(context, setting, EXPECTED_CGROUP), *below;
        char **cgroup = to;

        if (!text)
                return;
        below = strncmp(text, CGROUP_ROOT, strlen(CGROUP_ROOT)) == 0 ?
                text + strlen(CGROUP_ROOT) : NULL;
        if (text[0] == '\0' || !strchr("/" GLOB_CHARACTERS, text[0]) || is_odd_path(text))
                conf_value_error(context, setting, text, -EINVAL, EXPECTED_CGROUP);
        else if (below && (*below == '/' || *below == '\0'))
                conf_error_at(context, setting, "%s: \"%.80s\" never "
                              "matches as the path begins below " CGROUP_ROOT ", expected "
                              "\"%.80s\"", conf_label(setting), text,
                              *below == '/' ? below : "/");
        else
                *cgroup = conf_copy(context, text);
}

void conf_parse_max_processes(struct conf_context *context, const config_setting_t *setting,
                              void *to) {
        uint32_t *max_processes = to;
        int value;

        if (conf_integer(context, setting, 1, PROCESSES_MAX, EXPECTED_MAX_PROCESSES, &value))
                *max_processes = (uint32_t) value;
}
