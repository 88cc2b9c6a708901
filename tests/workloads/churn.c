// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spawns, execs and kills processes named "churn-target" all the time, in every way in which a
 * pid, a name and an address space can part company: plain forks, an exec to another name, a
 * vfork child that sits on its parent's memory, a CLONE_VM peer that keeps the memory of a
 * process that has moved on. In between run "churn-innocent" processes, some of them former
 * targets or on recycled pids, whose memory nobody may advise: they look themselves.
 * (With a small /proc/sys/kernel/pid_max pids come back within seconds.)
 *
 * Output: one line of counts at the end; exit 1 if an innocent process was advised.
 */
#include <getopt.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "workload.h"

#define ALIVE_MAX 16
#define INNOCENT_SIZE (4UL << 20)
#define EXIT_ADVISED 3
#define STACK_SIZE (64UL << 10)

enum role { ROLE_PLAIN, ROLE_EXEC, ROLE_VFORK, ROLE_PEER, ROLE_INNOCENT, NR_ROLES };
static const char *const role_names[NR_ROLES] = { "plain", "exec", "vfork", "peer", "innocent" };

static char link_dir[] = "/tmp/churn.XXXXXX";
static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
        (void)signal_number;
        stop = 1;
}

/* A program's name is that of the link it was started by. */
static void become(const char *dir, const char *name, const char *act)
{
        char path[64];

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        execl(path, name, "--act", act, "--dir", dir, (char *)NULL);
        _exit(errno == ENOENT ? 0 : 4);         /* the links go away first at the end */
}

static char *touch_some(uint64_t *rng, size_t *ret_len)
{
        size_t len = (1 + wl_random(rng) % 4) << 20;
        char *area = wl_map(len, false);

        for (size_t at = 0; at < len; at += WL_PAGE)
                *(volatile uint64_t *)(void *)(area + at) = at;
        *ret_len = len;
        return area;
}

static __attribute__((noreturn)) void be_innocent(uint64_t *rng)
{
        char *area = wl_map(INNOCENT_SIZE, false);

        prctl(PR_SET_NAME, "churn-innocent");
        wl_fill(area, INNOCENT_SIZE, *rng);
        wl_sleep_ms(1000 + wl_random(rng) % 2000);
        _exit(wl_swapped_pages(area, INNOCENT_SIZE) > 0 ? EXIT_ADVISED : 0);
}

struct peer {
        char *area;
        size_t len;
};

static int peer_main(void *arg)
{
        struct peer *peer = arg;

        for (int round = 0; round < 10; round++) {
                for (size_t at = 0; at < peer->len; at += WL_PAGE)
                        (void)*(volatile uint64_t *)(void *)(peer->area + at);
                wl_sleep_ms(80);
        }
        _exit(0);
}

static __attribute__((noreturn)) void be_target(enum role role, const char *dir, uint64_t *rng)
{
        static struct peer peer;
        char *stack;
        pid_t child;

        prctl(PR_SET_NAME, "churn-target");
        peer.area = touch_some(rng, &peer.len);
        wl_sleep_ms(100 + wl_random(rng) % 500);
        switch (role) {
        case ROLE_EXEC:
                become(dir, "churn-innocent", "innocent");
                break;
        case ROLE_VFORK:
                child = vfork();
                if (child == 0) {
                        wl_sleep_ms(200);       /* on the memory of the parent, which waits */
                        become(dir, "churn-innocent", "innocent");
                }
                wl_sleep_ms(200);
                break;
        case ROLE_PEER:
                stack = wl_map(STACK_SIZE, false);
                if (clone(peer_main, stack + STACK_SIZE, CLONE_VM | SIGCHLD, &peer) < 0)
                        wl_die("clone");
                if (wl_random(rng) % 2 == 0)
                        become(dir, "churn-innocent", "innocent");
                break;
        default:
                break;
        }
        _exit(0);
}

static pid_t spawn(enum role role, uint64_t *rng)
{
        uint64_t seed = wl_random(rng);
        pid_t child = fork();

        if (child < 0 && errno != EAGAIN)
                wl_die("fork");
        if (child != 0)
                return child;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        switch (role) {
        case ROLE_PLAIN:
                be_target(role, link_dir, &seed);
        case ROLE_INNOCENT:
                be_innocent(&seed);
        default:                                /* these start with an exec as well */
                become(link_dir, "churn-target", role_names[role]);
        }
        return 0;
}

static int act(const char *name, const char *dir)
{
        uint64_t rng = wl_now_ns() ^ (uint64_t)getpid() << 40;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (enum role role = 0; role < NR_ROLES; role++)
                if (strcmp(name, role_names[role]) == 0) {
                        if (role == ROLE_INNOCENT)
                                be_innocent(&rng);
                        be_target(role, dir, &rng);
                }
        return 2;
}

static void links(bool make)
{
        static const char *const names[] = { "churn-target", "churn-innocent" };
        char self[4096], path[64];
        ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

        if (len < 0 || (make && mkdtemp(link_dir) == NULL))
                wl_die("no folder for the links");
        self[len] = '\0';
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                snprintf(path, sizeof(path), "%s/%s", link_dir, names[i]);
                if (make ? symlink(self, path) < 0 : unlink(path) < 0)
                        wl_die("%s", path);
        }
        if (!make)
                rmdir(link_dir);
}

static void usage(FILE *out)
{
        fputs("Usage: churn [--seconds 60] [--seed N] [--pause-ms 30]\n", out);
}

int main(int argc, char **argv)
{
        static const struct option longs[] = {
                { "seconds", required_argument, NULL, 'n' },
                { "seed", required_argument, NULL, 's' },
                { "pause-ms", required_argument, NULL, 'p' },
                { "act", required_argument, NULL, 'a' },
                { "dir", required_argument, NULL, 'd' },
                { "help", no_argument, NULL, 'H' },
                { 0 }
        };
        uint64_t seconds = 60, seed = 1, pause_ms = 30, started, rng, count[NR_ROLES] = { 0 };
        uint64_t killed = 0, ended = 0, advised = 0;
        const char *action = NULL, *dir = NULL;
        pid_t victim = 0;                       /* a child of ours that has not been waited for */
        int c;

        while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
                switch (c) {
                case 'n': seconds = wl_size(optarg); break;
                case 's': seed = wl_size(optarg); break;
                case 'p': pause_ms = wl_size(optarg); break;
                case 'a': action = optarg; break;
                case 'd': dir = optarg; break;
                case 'H': usage(stdout); return 0;
                default: usage(stderr); return 2;
                }
        if (action != NULL && dir != NULL)
                return act(action, dir);

        wl_on(SIGTERM, on_signal);
        wl_on(SIGINT, on_signal);
        prctl(PR_SET_CHILD_SUBREAPER, 1);       /* whoever loses its parent becomes ours */
        links(true);
        rng = seed;
        started = wl_now_ns();
        printf("ready %d\n", getpid());
        fflush(stdout);
        for (uint64_t alive = 0;;) {
                bool late = stop || wl_now_ns() - started >= seconds * 1000000000u;
                siginfo_t info;

                for (;;) {
                        info.si_pid = 0;
                        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                                break;
                        ended++;
                        if (alive > 0)
                                alive--;
                        if (info.si_code == CLD_EXITED && info.si_status == EXIT_ADVISED)
                                advised++;
                        if (info.si_pid == victim)
                                victim = 0;
                }
                if (late) {
                        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                                break;          /* nobody is left */
                } else if (alive < ALIVE_MAX) {
                        enum role role = wl_random(&rng) % NR_ROLES;
                        pid_t child = spawn(role, &rng);

                        count[role]++;
                        alive++;
                        /* Every now and then one is killed in the middle of what it does. */
                        if (victim > 0 && wl_random(&rng) % 4 == 0) {
                                kill(victim, SIGKILL);
                                killed++;
                                victim = 0;
                        } else if (victim == 0 && role != ROLE_INNOCENT) {
                                victim = child;
                        }
                }
                wl_sleep_ms(pause_ms);
        }
        links(false);
        printf("churn plain %" PRIu64 " exec %" PRIu64 " vfork %" PRIu64 " peer %" PRIu64
               " innocent %" PRIu64 " killed %" PRIu64 " ended %" PRIu64 " advised %" PRIu64 "\n",
               count[ROLE_PLAIN], count[ROLE_EXEC], count[ROLE_VFORK], count[ROLE_PEER],
               count[ROLE_INNOCENT], killed, ended, advised);
        return advised > 0;
}
