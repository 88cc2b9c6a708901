// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clients of the redis demonstration, speaking RESP over the server's unix socket: one fills
 * the server with values that can be made again from their number, one asks for keys of the hot
 * part as fast as it gets answers, and two look at the outcome key by key.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "workload.h"

#define KEY_LEN 12                      /* "key:00001234" */
#define VALUE_MAX (1UL << 20)

struct client {
        int fd;
        size_t have, used;              /* bytes read into in[], bytes of them consumed */
        size_t out_len;
        char in[256 << 10], out[256 << 10];
};

static struct client client;
static uint64_t value_words[VALUE_MAX / sizeof(uint64_t)];
static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

static void client_connect(struct client *c, const char *path)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(addr.sun_path))
                wl_die("the socket's path is too long");
        strcpy(addr.sun_path, path);
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
                wl_die("%s", path);
}

static void client_flush(struct client *c)
{
        for (size_t sent = 0; sent < c->out_len;) {
                ssize_t n = write(c->fd, c->out + sent, c->out_len - sent);

                if (n < 0 && errno != EINTR)
                        wl_die("sending to the server");
                if (n > 0)
                        sent += (size_t)n;
        }
        c->out_len = 0;
}

static void client_put(struct client *c, const void *data, size_t len)
{
        const char *from = data;

        while (len > 0) {
                size_t room = sizeof(c->out) - c->out_len;
                size_t n = len < room ? len : room;

                memcpy(c->out + c->out_len, from, n);
                c->out_len += n;
                from += n;
                len -= n;
                if (c->out_len == sizeof(c->out))
                        client_flush(c);
        }
}

static void client_read(struct client *c)
{
        ssize_t n;

        if (c->used > 0) {
                memmove(c->in, c->in + c->used, c->have - c->used);
                c->have -= c->used;
                c->used = 0;
        }
        do {
                n = read(c->fd, c->in + c->have, sizeof(c->in) - c->have);
        } while (n < 0 && errno == EINTR);
        errno = n == 0 ? 0 : errno;
        if (n <= 0)
                wl_die("the server is gone");
        c->have += (size_t)n;
}

/* One line of an answer, without its end; valid until the next read. */
static char *client_line(struct client *c)
{
        for (;;) {
                char *start = c->in + c->used;
                char *end = memchr(start, '\n', c->have - c->used);

                if (end != NULL) {
                        c->used += (size_t)(end + 1 - start);
                        end[-1] = '\0';
                        return start;
                }
                client_read(c);
        }
}

static void client_expect_ok(struct client *c)
{
        char *line = client_line(c);

        errno = 0;
        if (line[0] != '+')
                wl_die("the server says %s", line);
}

/* A string answer; compared with what it must be, or skipped when expect is NULL. */
static bool client_value(struct client *c, const void *expect, size_t size)
{
        char *line = client_line(c);
        size_t len, at = 0;
        bool same = true;

        errno = 0;
        if (line[0] != '$' || line[1] == '-')
                return false;
        len = strtoul(line + 1, NULL, 10);
        while (at < len + 2) {
                size_t n = c->have - c->used;

                if (n == 0) {
                        client_read(c);
                        continue;
                }
                if (n > len + 2 - at)
                        n = len + 2 - at;
                if (expect != NULL && at < len && len == size) {
                        size_t part = n < len - at ? n : len - at;

                        same &= memcmp(c->in + c->used, (const char *)expect + at, part) == 0;
                }
                c->used += n;
                at += n;
        }
        return same && len == size;
}

static void put_get(struct client *c, uint64_t key)
{
        char text[64];
        int len = snprintf(text, sizeof(text), "*2\r\n$3\r\nGET\r\n$%d\r\nkey:%08" PRIu64 "\r\n",
                           KEY_LEN, key);

        client_put(c, text, (size_t)len);
}

static const void *value_of(uint64_t key, size_t size)
{
        wl_fill(value_words, (size + 7) & ~7UL, key * 1000003u + 17);
        return value_words;
}

static int fill(uint64_t count, size_t size)
{
        const uint64_t batch = 64;

        for (uint64_t key = 0; key < count; key++) {
                char text[96];
                int len = snprintf(text, sizeof(text),
                                   "*3\r\n$3\r\nSET\r\n$%d\r\nkey:%08" PRIu64 "\r\n$%zu\r\n",
                                   KEY_LEN, key, size);

                client_put(&client, text, (size_t)len);
                client_put(&client, value_of(key, size), size);
                client_put(&client, "\r\n", 2);
                if ((key + 1) % batch == 0 || key + 1 == count) {
                        client_flush(&client);
                        for (uint64_t i = key / batch * batch; i <= key; i++)
                                client_expect_ok(&client);
                }
        }
        return 0;
}

/* Requests in batches, as a busy server sees them; one line a second: seconds, requests. */
static int run(uint64_t first, uint64_t count, size_t size, uint64_t batch)
{
        uint64_t start = wl_now_ns(), told = start, requests = 0, rng = 1;

        while (!stop) {
                uint64_t now;

                for (uint64_t i = 0; i < batch; i++)
                        put_get(&client, first + wl_random(&rng) % count);
                client_flush(&client);
                for (uint64_t i = 0; i < batch; i++)
                        if (!client_value(&client, NULL, size))
                                wl_die("a hot key is not there");
                requests += batch;
                now = wl_now_ns();
                if (now - told >= 1000000000u) {
                        printf("%.0f %.0f\n", (double)(now - start) / 1e9,
                               (double)requests * 1e9 / (double)(now - told));
                        fflush(stdout);
                        requests = 0;
                        told = now;
                }
        }
        return 0;
}

static long majflt_of(pid_t pid)
{
        char path[64], text[1024];
        char *at;
        ssize_t len;
        long value = 0;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                wl_die("%s", path);
        len = read(fd, text, sizeof(text) - 1);
        close(fd);
        text[len > 0 ? len : 0] = '\0';
        at = strrchr(text, ')');
        if (at == NULL || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %ld", &value) != 1)
                wl_die("%s is not as expected", path);
        return value;
}

/* Asks for keys one at a time and tells how many the server had to fetch from swap, and how
 * many came back with something else in them than what was stored. */
static int look(uint64_t first, uint64_t count, uint64_t step, size_t size, pid_t pid)
{
        uint64_t asked = 0, fetched = 0, wrong = 0;

        for (uint64_t key = first; key < first + count; key += step) {
                const void *value = value_of(key, size);
                long before = majflt_of(pid);

                put_get(&client, key);
                client_flush(&client);
                if (!client_value(&client, value, size))
                        wrong++;
                if (majflt_of(pid) > before)
                        fetched++;
                asked++;
        }
        printf("asked %" PRIu64 " from-swap %" PRIu64 " wrong %" PRIu64 "\n",
               asked, fetched, wrong);
        return wrong > 0;
}

static void usage(FILE *out)
{
        fputs("Usage: redis-load SOCKET fill COUNT VALUE-SIZE\n"
              "       redis-load SOCKET run FIRST COUNT VALUE-SIZE [BATCH]\n"
              "       redis-load SOCKET look FIRST COUNT STEP VALUE-SIZE SERVER-PID\n", out);
}

int main(int argc, char **argv)
{
        uint64_t n[5] = { 0 };

        if (argc < 5 || argc > 8) {
                usage(argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
                return 2;
        }
        for (int i = 3; i < argc; i++)
                n[i - 3] = wl_size(argv[i]);
        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        signal(SIGPIPE, SIG_IGN);
        client_connect(&client, argv[1]);
        if (strcmp(argv[2], "fill") == 0 && argc == 5 && n[1] <= VALUE_MAX)
                return fill(n[0], n[1]);
        if (strcmp(argv[2], "run") == 0 && argc >= 6 && argc <= 7 && n[1] > 0)
                return run(n[0], n[1], n[2], argc == 7 ? n[3] : 16);
        if (strcmp(argv[2], "look") == 0 && argc == 8 && n[2] > 0 && n[3] <= VALUE_MAX)
                return look(n[0], n[1], n[2], n[3], (pid_t)n[4]);
        usage(stderr);
        return 2;
}
