/* SPDX-License-Identifier: GPL-2.0-only */
/* process_madvise(2): see advise.h. */

#include "advise.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "macro.h"

/* A call on more bytes in all is cut to this (MAX_RW_COUNT, lib/iov_iter.c, Linux 6.12). */
#define CALL_MAX UINT64_C(0x7ffff000)

/* Put as many pieces as one call takes into @iov. Return: how many. */
static size_t gather(struct iovec iov[static IOV_MAX], const struct advice *pieces, size_t nr) {
        uint64_t size = 0;
        size_t n = 0;

        while (n < nr && n < IOV_MAX && size + damon_range_size(&pieces[n].range) <= CALL_MAX) {
                iov[n].iov_base = (void *) (uintptr_t) pieces[n].range.start;
                iov[n].iov_len = damon_range_size(&pieces[n].range);
                size += iov[n].iov_len;
                n++;
        }
        return n;
}

static bool is_about_the_process(int error) {
        return error == ESRCH || error == EPERM || error == EACCES || error == ENOSYS ||
               error == EBADF;
}

int advise(int pidfd, int advice, struct advice *pieces, size_t nr) {
        for (size_t i = 0; i < nr;) {
                struct iovec iov[IOV_MAX];
                size_t n = gather(iov, pieces + i, nr - i);
                ssize_t done;

                do
                        done = process_madvise(pidfd, iov, n, advice, 0);
                while (done < 0 && errno == EINTR);
                if (done < 0) {
                        if (is_about_the_process(errno))
                                return -errno;
                        pieces[i].error = errno;
                        i++;
                        continue;
                }

                /* The call stops at the first piece that fails, and says how far it came; the
                 * next call begins with that piece and hears its error. */
                for (size_t k = 0; k < n; k++) {
                        uint64_t size = damon_range_size(&pieces[i].range);

                        if (size > (uint64_t) done) {
                                if (k == 0)
                                        pieces[i++].error = EIO;        /* never again the same call */
                                break;
                        }
                        pieces[i++].sz_applied = size;
                        done -= (ssize_t) size;
                }
        }
        return 0;
}
