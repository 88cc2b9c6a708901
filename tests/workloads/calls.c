/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes system calls that wait, of every kind, one after the other, with signals, timers, threads
 * and child processes, and looks at every result: a process that is stopped for a moment in
 * between must not see that. A call that fails, returns early or returns something else, a signal
 * that is lost, a register or a byte below the stack pointer that has changed ends it with
 * "WRONG: ...". Prints "ready PID START", the hexadecimal address of 16 MiB that it does not look at,
 * and on SIGTERM "right: N rounds, ...".
 */
#include "workload.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#define LARGE (256 << 10)
#define TICK_NS 300000L
#define QUEUED SIGRTMIN
#define PERIODIC (SIGRTMIN + 1)

static volatile uint64_t nr_queued, nr_periodic, nr_alarms;
static uint64_t nr_sent, nr_rounds;
static int request[2], echo[2], pair[2], sem_id, msg_id;
static sem_t answer;
static char large[LARGE], arrived[LARGE];
static pthread_t main_thread;

static __attribute__((noreturn)) void wrong(const char *what, long result)
{
        int error = errno;

        if (dprintf(STDOUT_FILENO, "WRONG: %s: result %ld, errno %d (%s), round %" PRIu64 "\n", what, result, error,
                strerror(error), nr_rounds) < 0)
                _exit(4);
        _exit(3);
}

static void expect(const char *what, long result, long expected)
{
        if (result != expected)
                wrong(what, result);
}

static void on_queued(int signal_number, siginfo_t *info, void *context)
{
        nr_queued++;
}

static void on_periodic(int signal_number, siginfo_t *info, void *context)
{
        nr_periodic += 1 + (unsigned)info->si_overrun;
}

static void on_alarm(int signal_number)
{
        nr_alarms++;
}

static void write_all(int fd, const void *buf, size_t size)
{
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, (const char *)buf + done, size - done);

                if (n <= 0)
                        wrong("peer's write", n);
                done += (size_t)n;
        }
}

/* Serves the main thread's requests, each a letter. */
static void *peer(void *data)
{
        struct sembuf up = { 0, 1, 0 };
        struct { long type; char text[8]; } message = { 1, "hello" };
        sigset_t all;
        char letter;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
        for (;;) {
                ssize_t n = read(request[0], &letter, 1);

                if (n == 0)
                        return NULL;
                expect("peer's read", n, 1);
                switch (letter) {
                case 'e':
                        write_all(echo[1], "e", 1);
                        break;
                case 'l':               /* takes what is written, slowly */
                        for (size_t done = 0; done < LARGE;) {
                                n = read(pair[1], arrived + done, 16 << 10);
                                if (n <= 0)
                                        wrong("peer's read of much", n);
                                done += (size_t)n;
                        }
                        sem_post(&answer);
                        break;
                case 'w':
                        write_all(pair[1], large, LARGE);
                        break;
                case 's':
                        semop(sem_id, &up, 1);
                        break;
                case 'm':
                        msgsnd(msg_id, &message, sizeof(message.text), 0);
                        break;
                case 'f':
                        sem_post(&answer);
                        break;
                case 'q':
                        pthread_sigqueue(main_thread, QUEUED, (union sigval){ .sival_int = 1 });
                        break;
                }
        }
}

static void ask(char letter)
{
        expect("write of a byte", write(request[1], &letter, 1), 1);
}

static void sleeps(void)
{
        struct timespec tick = { 0, TICK_NS }, end;
        uint64_t start = wl_now_ns();
        fd_set none;

        expect("nanosleep", nanosleep(&tick, NULL), 0);
        if (wl_now_ns() - start < TICK_NS)
                wrong("nanosleep was short", (long)(wl_now_ns() - start));
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_nsec += TICK_NS;
        if (end.tv_nsec >= 1000000000L) {
                end.tv_nsec -= 1000000000L;
                end.tv_sec++;
        }
        expect("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0);
        expect("poll", poll(NULL, 0, 1), 0);
        expect("ppoll", ppoll(NULL, 0, &tick, NULL), 0);
        FD_ZERO(&none);
        expect("select", select(0, &none, NULL, NULL, &(struct timeval){ 0, TICK_NS / 1000 }), 0);
        expect("pselect", pselect(0, &none, NULL, NULL, &tick, NULL), 0);
}

static void transfers(void)
{
        struct pollfd ready = { .fd = echo[0], .events = POLLIN };
        char letter;

        ask('e');
        expect("read of a byte", read(echo[0], &letter, 1), 1);
        ask('e');
        expect("poll for a byte", poll(&ready, 1, -1), 1);
        expect("read of a byte that is there", read(echo[0], &letter, 1), 1);
        ask('l');
        expect("write of much", write(pair[0], large, LARGE), LARGE);
        expect("sem_wait", sem_wait(&answer), 0);
        if (memcmp(large, arrived, LARGE) != 0)
                wrong("not what was written", 0);
        ask('w');
        expect("recv of all", recv(pair[0], arrived, LARGE, MSG_WAITALL), LARGE);
        if (memcmp(large, arrived, LARGE) != 0)
                wrong("not what was sent", 0);
        ask('f');
        expect("sem_wait of a futex", sem_wait(&answer), 0);
}

/* These return EINTR after every stop, if nobody sees to it that they do not. */
static void interruptible(int epoll_fd, aio_context_t aio)
{
        struct sembuf down = { 0, -1, 0 };
        struct { long type; char text[8]; } message;
        struct timespec tick = { 0, TICK_NS };
        struct epoll_event event;
        struct io_event done;
        sigset_t waited;
        char letter;
        long r;

        expect("epoll_wait", epoll_wait(epoll_fd, &event, 1, 1), 0);
        ask('e');
        expect("epoll_wait for a byte", epoll_wait(epoll_fd, &event, 1, -1), 1);
        expect("read after epoll_wait", read(echo[0], &letter, 1), 1);
        sigemptyset(&waited);
        sigaddset(&waited, SIGUSR2);
        errno = 0;
        r = sigtimedwait(&waited, NULL, &tick);
        if (r != -1 || errno != EAGAIN)
                wrong("sigtimedwait", r);
        ask('s');
        expect("semop", semop(sem_id, &down, 1), 0);
        errno = 0;
        r = semtimedop(sem_id, &down, 1, &tick);
        if (r != -1 || errno != EAGAIN)
                wrong("semtimedop", r);
        ask('m');
        expect("msgrcv", msgrcv(msg_id, &message, sizeof(message.text), 0, 0), sizeof(message.text));
        expect("io_getevents", syscall(SYS_io_getevents, aio, 1L, 1L, &done, &tick), 0);
        r = recv(pair[0], &letter, 1, 0);       /* with a time limit, see main() */
        if (r != -1 || errno != EAGAIN)
                wrong("recv with a time limit", r);
}

static void signals(void)
{
        struct itimerval once = { .it_value = { 0, 500 } }, off = {};
        uint64_t before = nr_alarms, queued = nr_queued;
        sigset_t alarm_only, mask;
        char letter;

        sigemptyset(&alarm_only);
        sigaddset(&alarm_only, SIGALRM);
        sigprocmask(SIG_BLOCK, &alarm_only, &mask);
        setitimer(ITIMER_REAL, &once, NULL);
        while (nr_alarms == before) {
                errno = 0;
                sigsuspend(&mask);
                if (errno != EINTR)
                        wrong("sigsuspend", 0);
        }
        expect("alarms", (long)(nr_alarms - before), 1);
        sigprocmask(SIG_SETMASK, &mask, NULL);

        /* a handler without SA_RESTART must break it off */
        before = nr_alarms;
        once.it_interval.tv_usec = 1000;
        setitimer(ITIMER_REAL, &once, NULL);
        errno = 0;
        expect("read that an alarm ends", read(echo[0], &letter, 1), -1);
        if (errno != EINTR)
                wrong("read that an alarm ends", -1);
        errno = 0;
        expect("pause", pause(), -1);
        if (errno != EINTR)
                wrong("pause", -1);
        setitimer(ITIMER_REAL, &off, NULL);
        if (nr_alarms == before)
                wrong("no alarm", 0);

        /* and every signal that is queued comes, to one who waits and to one who does not */
        for (unsigned i = 0; i < 3; i++, nr_sent++)
                ask('q');
        while (nr_queued < queued + 3) {
                nanosleep(&(struct timespec){ 0, TICK_NS }, NULL);
        }
}

static void *short_thread(void *data)
{
        return data;
}

static void children(void)
{
        pthread_t thread;
        void *result;
        int status;
        pid_t pid;

        pid = fork();
        if (pid == 0)
                _exit(7);
        expect("wait4", waitpid(pid, &status, 0), pid);
        expect("exit status", WEXITSTATUS(status), 7);
        pid = vfork();
        if (pid == 0)
                _exit(8);
        expect("wait4 after vfork", waitpid(pid, &status, 0), pid);
        expect("exit status after vfork", WEXITSTATUS(status), 8);
        if (nr_rounds % 8 == 0) {
                char name[] = "true", *const argv[] = { name, NULL };

                expect("posix_spawn", posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL), 0);
                expect("wait4 after posix_spawn", waitpid(pid, &status, 0), pid);
                expect("exit status after posix_spawn", status, 0);
        }
        expect("pthread_create", pthread_create(&thread, NULL, short_thread, &status), 0);
        expect("pthread_join", pthread_join(thread, &result), 0);
        if (result != &status)
                wrong("pthread_join", 0);
}

/* Registers, and what is below the stack pointer, for a while without any call. */
static void registers(void)
{
        for (unsigned i = 0; i < 50; i++) {
                uint64_t bad = 0;

#if defined(__x86_64__)
                __asm__ volatile(
                        "movq $0x1234567, %%r12\n movq $0x89abcde, %%r13\n movq %%r12, %%xmm5\n"
                        "movq %%r13, %%xmm15\n punpcklqdq %%xmm15, %%xmm5\n movq $0x5a5a5a5, %%r11\n"
                        "movq %%r11, -8(%%rsp)\n movq %%r11, -64(%%rsp)\n movq %%r11, -128(%%rsp)\n"
                        "fld1\n stc\n movl $20000, %%ecx\n"
                        "1: leal -1(%%ecx), %%ecx\n jrcxz 2f\n jmp 1b\n"
                        "2: setnc %b0\n fstpl -16(%%rsp)\n movq -16(%%rsp), %%rax\n"
                        "movabsq $0x3ff0000000000000, %%rdx\n xorq %%rdx, %%rax\n orq %%rax, %0\n"
                        "movq %%xmm5, %%rax\n xorq %%r12, %%rax\n orq %%rax, %0\n"
                        "movhlps %%xmm5, %%xmm4\n movq %%xmm4, %%rax\n xorq $0x89abcde, %%rax\n orq %%rax, %0\n"
                        "movq -8(%%rsp), %%rax\n xorq %%r11, %%rax\n orq %%rax, %0\n"
                        "movq -64(%%rsp), %%rax\n xorq %%r11, %%rax\n orq %%rax, %0\n"
                        "movq -128(%%rsp), %%rax\n xorq %%r11, %%rax\n orq %%rax, %0\n"
                        : "+&r"(bad)
                        :
                        : "rax", "rcx", "rdx", "r11", "r12", "r13", "xmm4", "xmm5", "xmm15", "cc", "memory");
#elif defined(__aarch64__)
                __asm__ volatile(
                        "movz x9, #0x4567\n movk x9, #0x123, lsl #16\n movz x16, #0xabcd\n movz x17, #0x1357\n"
                        "fmov d5, x9\n ins v5.d[1], x16\n fmov d8, x17\n dup v31.2d, x17\n"
                        "movz x11, #0\n cmp x11, #1\n movz w10, #20000\n"
                        "1: sub w10, w10, #1\n cbnz w10, 1b\n"
                        "cset %w0, pl\n cset w11, hs\n orr %0, %0, x11\n"
                        "movz x12, #0x4567\n movk x12, #0x123, lsl #16\n eor x11, x9, x12\n orr %0, %0, x11\n"
                        "fmov x11, d5\n eor x11, x11, x12\n orr %0, %0, x11\n"
                        "mov x11, v5.d[1]\n eor x11, x11, x16\n orr %0, %0, x11\n"
                        "fmov x11, d8\n eor x11, x11, x17\n orr %0, %0, x11\n"
                        "mov x11, v31.d[1]\n eor x11, x11, x17\n orr %0, %0, x11\n"
                        "movz x12, #0xabcd\n eor x11, x16, x12\n orr %0, %0, x11\n"
                        : "+&r"(bad)
                        :
                        : "x9", "x10", "x11", "x12", "x16", "x17", "v5", "v8", "v31", "cc");
#else
                for (volatile unsigned k = 0; k < 20000; k++)
                        ;
#endif
                if (bad != 0)
                        wrong("registers have changed", (long)bad);
        }
}

/* A handler would end calls that are not to end. */
static bool is_over(void)
{
        sigset_t term, pending;

        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, NULL);
        return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM);
}

static void handle(int signal_number, void (*handler)(int, siginfo_t *, void *))
{
        struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };

        sigaction(signal_number, &action, NULL);
}

int main(void)
{
        struct itimerspec period = { .it_value = { 0, 2000000 }, .it_interval = { 0, 2000000 } };
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = PERIODIC };
        struct timeval limit = { 0, 1000 };
        aio_context_t aio = 0;
        pthread_t peer_thread;
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        timer_t timer;
        char *area;

        (void)is_over();
        wl_on(SIGALRM, on_alarm);
        handle(QUEUED, on_queued);
        handle(PERIODIC, on_periodic);
        main_thread = pthread_self();
        area = mmap(NULL, 18 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED)
                wl_die("mmap");
        area = (char *)(((uintptr_t)area + WL_HUGE - 1) & ~(WL_HUGE - 1));
        printf("ready %d %lx\n", getpid(), (unsigned long)(uintptr_t)area);
        fflush(stdout);

        sem_id = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT);
        msg_id = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
        wl_fill(large, sizeof(large), 1);
        if (pipe(request) < 0 || pipe(echo) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
            sem_id < 0 || msg_id < 0 || sem_init(&answer, 0, 0) < 0 || syscall(SYS_io_setup, 8, &aio) < 0 ||
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, echo[0], &(struct epoll_event){ .events = EPOLLIN }) < 0 ||
            timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ||
            pthread_create(&peer_thread, NULL, peer, NULL) != 0)
                wl_die("set-up");
        while (!is_over()) {
                transfers();
                children();
                registers();
                setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
                interruptible(epoll_fd, aio);
                setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){}, sizeof(limit));
                sleeps();
                signals();
                timer_settime(timer, 0, &period, NULL);
                registers();
                timer_settime(timer, 0, &(struct itimerspec){}, NULL);
                nr_rounds++;
        }
        semctl(sem_id, 0, IPC_RMID);
        msgctl(msg_id, IPC_RMID, NULL);
        expect("signals", (long)nr_queued, (long)nr_sent);
        printf("right: %" PRIu64 " rounds, %" PRIu64 " queued signals, %" PRIu64 " of a timer, %" PRIu64 " alarms\n",
               nr_rounds, nr_queued, nr_periodic, nr_alarms);
        return 0;
}
