/* SPDX-License-Identifier: GPL-2.0-only */
/* Logging: see log.h. */

#define SD_JOURNAL_SUPPRESS_LOCATION
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

static int log_max_level = LOG_INFO;
static bool log_to_journal;

/* $JOURNAL_STREAM names the socket that systemd has connected to the journal; standard error
 * may have been redirected since: systemd.exec(5). */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        uint64_t device, inode;
        struct stat st;

        return stream && sscanf(stream, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(int max_level) {
        log_max_level = max_level;
        log_to_journal = stderr_is_journal();
}

int log_is_journal(void) {
        return log_to_journal;
}

static struct iovec string_iovec(const char *s) {
        return (struct iovec) { .iov_base = (void *) (uintptr_t) s, .iov_len = strlen(s) };
}

static void send_to_journal(int level, const char *id, const char *const *fields, const char *text) {
        struct iovec iov[LOG_FIELDS_MAX + 3];
        _cleanup_free_ char *message = NULL;
        char priority[16], message_id[64];
        int n = 0;

        if (asprintf(&message, "MESSAGE=%s", text) < 0) {
                message = NULL;
                return;
        }
        (void) snprintf(priority, sizeof(priority), "PRIORITY=%d", level);
        iov[n++] = string_iovec(message);
        iov[n++] = string_iovec(priority);
        if (id) {
                (void) snprintf(message_id, sizeof(message_id), "MESSAGE_ID=%s", id);
                iov[n++] = string_iovec(message_id);
        }
        for (size_t i = 0; fields && fields[i] && i < LOG_FIELDS_MAX; i++)
                iov[n++] = string_iovec(fields[i]);
        (void) sd_journal_sendv(iov, n);        /* nobody is left to tell */
}

void log_record(int level, const char *id, const char *const *fields, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int r;

        if (level > log_max_level)
                return;
        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return;
        }
        if (log_to_journal)
                send_to_journal(level, id, fields, text);
        else
                (void) fprintf(stderr, "damond: %s\n", text);
}
