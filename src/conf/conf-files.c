/* SPDX-License-Identifier: GPL-2.0-only */
/* See conf-files.h. */

#include "conf-files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Of all files together: libconfig needs quadratic time, and no sensible ones come near. */
#define TEXT_MAX (256 * 1024)
#define DROP_INS_MAX 100

#define SUFFIX ".conf"

/**
 * struct search - drop-ins that were found
 * @context:    receives messages
 * @owner:      owner of the main file
 * @paths:      @nr paths; owned
 * @nr:         number of those
 */
struct search {
        struct conf_context *context;
        uid_t owner;
        char *paths[DROP_INS_MAX];
        size_t nr;
};

static const char *base_name(const char *path) {
        return strrchr(path, '/') + 1;
}

static int is_drop_in(const struct dirent *entry) {
        size_t length = strlen(entry->d_name);

        return entry->d_name[0] != '.' && length > strlen(SUFFIX) &&
                strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* Returns false if memory ran out, or if there are too many, which is reported. */
static bool add_drop_in(struct search *search, const char *directory, const char *name) {
        char *path;

        for (size_t i = 0; i < search->nr; i++)
                if (strcmp(base_name(search->paths[i]), name) == 0)
                        return true;
        if (search->nr == DROP_INS_MAX) {
                conf_error(search->context, 0, "has more than %d drop-ins, expected fewer",
                           DROP_INS_MAX);
                return false;
        }
        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                search->context->out_of_memory = true;
                return false;
        }
        search->paths[search->nr++] = path;
        return true;
}

/* Nobody else may put files there that root acts on. */
static bool check_directory(const struct search *search, const char *path) {
        struct stat st;

        if (geteuid() != 0)
                return true;
        if (stat(path, &st) < 0)
                conf_error(search->context, 0, "the drop-ins in %s cannot be looked at: %s", path,
                           strerror(errno));
        else if (st.st_mode & S_IWOTH)
                conf_error(search->context, 0, "the directory of drop-ins %s is writable by "
                           "everyone, expected mode 0755 or stricter as root acts on them", path);
        else if (st.st_uid != 0 && st.st_uid != search->owner)
                conf_error(search->context, 0, "the directory of drop-ins %s belongs to user %u, "
                           "expected root or the owner of this file as root acts on them", path,
                           (unsigned) st.st_uid);
        else
                return true;
        return false;
}

static bool search_directory(struct search *search, const char *path) {
        struct dirent **entries;
        bool good;
        int nr;

        nr = scandir(path, &entries, is_drop_in, NULL);
        if (nr < 0 && errno == ENOENT)
                return true;
        if (nr < 0) {
                conf_error(search->context, 0, "the drop-ins in %s cannot be looked at: %s", path,
                           strerror(errno));
                return false;
        }

        good = check_directory(search, path);
        for (int i = 0; i < nr; i++) {
                good = good && add_drop_in(search, path, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return good;
}

static bool search_directories(struct search *search, const char *path,
                               const char *const *directories) {
        _cleanup_free_ char *beside = NULL;
        bool good;

        if (asprintf(&beside, "%s.d", path) < 0) {
                beside = NULL;
                search->context->out_of_memory = true;
                return false;
        }
        good = search_directory(search, beside);
        for (; *directories; directories++)
                good = search_directory(search, *directories) && good;
        return good;
}

/* Takes the path. */
static void add_file(struct conf_context *context, char *path) {
        struct conf_file *file = &context->files[context->nr_files++];

        file->path = path;
        config_init(&file->config);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(base_name(*(char *const *) a), base_name(*(char *const *) b));
}

/* Such a file only hides others of its name. */
static bool is_mask(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return false;
        return S_ISREG(st.st_mode) ? st.st_size == 0
                : S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

bool conf_find_files(struct conf_context *context, const char *path,
                     const char *const *directories) {
        struct search search = { .context = context };
        char *copy = conf_copy(context, path);
        struct stat st;
        bool good;

        context->files = calloc(1 + DROP_INS_MAX, sizeof(context->files[0]));
        if (!copy || !context->files) {
                free(copy);
                context->out_of_memory = true;
                return false;
        }
        add_file(context, copy);
        context->file = context->files;

        search.owner = stat(path, &st) < 0 ? 0 : st.st_uid;
        good = search_directories(&search, path, directories);
        qsort(search.paths, search.nr, sizeof(search.paths[0]), compare_names);
        for (size_t i = 0; i < search.nr; i++)
                if (is_mask(search.paths[i]))
                        free(search.paths[i]);
                else
                        add_file(context, search.paths[i]);
        return good;
}

/* Returns a descriptor, or -EINVAL: reported. */
static int open_file(struct conf_context *context) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        /* A FIFO without a writer would block otherwise. */
        fd = open(context->file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0) {
                conf_error(context, 0, "cannot be opened: %s", strerror(errno));
                return -EINVAL;
        }
        if (!S_ISREG(st.st_mode)) {
                conf_error(context, 0, "is not a regular file, expected a file with settings");
                return -EINVAL;
        }
        if (geteuid() == 0 && (st.st_mode & S_IWOTH)) {
                conf_error(context, 0, "is writable by everyone, expected mode 0644 or stricter as "
                           "root acts on it");
                return -EINVAL;
        }
        return TAKE_FD(fd);
}

/* Reads to the end: the size that fstat() tells may be out of date, or 0 under /proc. */
static int read_all(struct conf_context *context, int fd, char *text, size_t *ret_size) {
        size_t left = TEXT_MAX - context->size, size = 0;
        ssize_t n;

        do {
                n = read(fd, text + size, left + 1 - size);
                if (n < 0) {
                        conf_error(context, 0, "cannot be read: %s", strerror(errno));
                        return -EINVAL;
                }
                size += (size_t) n;
        } while (n > 0 && size <= left);

        if (size > left) {
                conf_error(context, 0, "is too large, expected at most %d KiB in all files",
                           TEXT_MAX / 1024);
                return -EINVAL;
        }
        context->size += size;
        *ret_size = size;
        return 0;
}

char *conf_read_text(struct conf_context *context, size_t *ret_size) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -1;
        size_t size;

        fd = open_file(context);
        if (fd < 0)
                return NULL;
        text = malloc(TEXT_MAX - context->size + 2);
        if (!text) {
                context->out_of_memory = true;
                return NULL;
        }
        if (read_all(context, fd, text, &size) < 0)
                return NULL;

        /* libconfig does not recognise a comment on a last line that does not end. */
        text[size++] = '\n';
        text[size] = '\0';
        *ret_size = size;
        return TAKE_PTR(text);
}

void conf_files_done(struct conf_context *context) {
        for (size_t i = 0; i < context->nr_files; i++) {
                free(context->files[i].path);
                free(context->files[i].wide_lines);
                config_destroy(&context->files[i].config);
        }
        free(context->files);
        context->files = NULL;
        context->nr_files = 0;
}
