/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/mm/page_idle/bitmap: see bitmap.h. Words that lie side by side share a call;
 * a gap is never bridged, as the kernel's work on a word that nobody needs costs more than
 * a call.
 */

#include "bitmap.h"

#include "macro.h"

static size_t run_length(const struct bitmap_word *words, size_t nr) {
        size_t run = 1;

        while (run < nr && run < BITMAP_RUN_MAX && words[run].index == words[0].index + run)
                run++;
        return run;
}

int bitmap_mark(int fd, struct bitmap_word *words, size_t nr) {
        for (size_t i = 0; i < nr;) {
                uint64_t buf[BITMAP_RUN_MAX];
                size_t run = run_length(words + i, nr - i);
                ssize_t n;

                for (size_t k = 0; k < run; k++)
                        buf[k] = words[i + k].bits;
                do
                        n = pwrite(fd, buf, run * sizeof(buf[0]),
                                   (off_t) (words[i].index * sizeof(buf[0])));
                while (n < 0 && errno == EINTR);
                if (n < 0 && errno != ENXIO)    /* ENXIO: all of it is behind the end of memory */
                        return -errno;
                for (size_t k = 0; k < run; k++)
                        words[i + k].valid = n > 0 && k < (size_t) n / sizeof(buf[0]);
                i += run;
        }
        return 0;
}

int bitmap_read(int fd, struct bitmap_word *words, size_t nr) {
        for (size_t i = 0; i < nr;) {
                uint64_t buf[BITMAP_RUN_MAX];
                size_t run = run_length(words + i, nr - i);
                ssize_t n;

                do
                        n = pread(fd, buf, run * sizeof(buf[0]),
                                  (off_t) (words[i].index * sizeof(buf[0])));
                while (n < 0 && errno == EINTR);
                if (n < 0)
                        return -errno;
                for (size_t k = 0; k < run; k++) {
                        words[i + k].valid = k < (size_t) n / sizeof(buf[0]);
                        words[i + k].bits = words[i + k].valid ? buf[k] : 0;
                }
                i += run;
        }
        return 0;
}
