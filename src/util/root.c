/* SPDX-License-Identifier: GPL-2.0-only */
/* Readers of /proc and /sys: see root.h. */

#include "root.h"

#include <fcntl.h>
#include <limits.h>

#include "array.h"
#include "macro.h"

int root_read(int dir_fd, const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
        size_t length = 0;

        if (fd < 0)
                return -errno;
        while (length < size - 1) {
                ssize_t n = read(fd, buf + length, size - 1 - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t) n;
        }
        buf[length] = '\0';
        return (int) length;
}

int root_read_all(int dir_fd, const char *path, char **buf, size_t *capacity) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
        size_t length = 0;

        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n;
                int r;

                if (length > INT_MAX / 2)
                        return -EFBIG;
                r = ARRAY_GROW(*buf, *capacity, MAX(length + 4096, (size_t) 16384));
                if (r < 0)
                        return r;
                n = read(fd, *buf + length, *capacity - length - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t) n;
        }
        (*buf)[length] = '\0';
        return (int) length;
}
