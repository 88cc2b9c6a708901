/* SPDX-License-Identifier: GPL-2.0-only */
/* Which threads may be stopped, by what /proc says of them. */

#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "macro.h"
#include "thread.h"

#define STATUS(state, tracer, seccomp, more)                                                    \
        "Name:\tState:\tx\nState:\t" state " (some)\nTgid:\t7\nTracerPid:\t" tracer             \
        "\nSeccomp:\t" seccomp "\n" more "voluntary_ctxt_switches:\t150\n"                      \
        "nonvoluntary_ctxt_switches:\t545\n"

static bool may_be_stopped(const char *text, pid_t tracer) {
        struct thread_status status;

        assert_int_equal(thread_status_parse(text, &status), 0);
        assert_int_equal(status.nr_waits, 150);
        return thread_may_be_stopped(&status, tracer);
}

static void the_status_decides_who_may_be_stopped(void **state) {
        assert_true(may_be_stopped(STATUS("S", "0", "0", ""), 0));
        assert_true(may_be_stopped(STATUS("R", "0", "0", "x86_Thread_features:\t\n"), 0));
        assert_true(may_be_stopped(STATUS("t", "12", "0", ""), 12));
        assert_false(may_be_stopped(STATUS("t", "12", "0", ""), 13));
        assert_false(may_be_stopped(STATUS("S", "12", "0", ""), 0));
        assert_false(may_be_stopped(STATUS("S", "0", "2", ""), 0));
        assert_false(may_be_stopped(STATUS("S", "0", "1", ""), 0));
        assert_false(may_be_stopped(STATUS("S", "0", "0", "x86_Thread_features:\tshstk wrss \n"), 0));
        for (const char *p = "DTtZXI"; *p != '\0'; p++) {
                char text[] = STATUS("?", "0", "0", "");

                *strchr(text, '?') = *p;
                assert_false(may_be_stopped(text, 0));
        }
}

static void a_status_without_what_matters_is_none(void **state) {
        struct thread_status status;

        assert_int_equal(thread_status_parse("", &status), -EBADMSG);
        assert_int_equal(thread_status_parse("Name:\tx\nTracerPid:\t0\nvoluntary_ctxt_switches:\t1\n", &status),
                         -EBADMSG);
        assert_int_equal(thread_status_parse("Name:\tx\nState:\tR\nTracerPid:\t0\n", &status), -EBADMSG);
}

static enum thread_place place_in(long nr) {
        char text[128];

        (void) snprintf(text, sizeof(text), "%ld 0x0 0x1 0x0 0x0 0x0 0x0 0x7ffc 0x7f12\n", nr);
        return thread_place_parse(text);
}

static void only_calls_that_are_gone_on_with_are_waiting(void **state) {
        static const long waiting[] = { SYS_futex, SYS_nanosleep, SYS_ppoll, SYS_wait4, SYS_rt_sigsuspend };
        static const long elsewhere[] = {
                SYS_epoll_pwait, SYS_rt_sigtimedwait, SYS_semop, SYS_io_getevents, SYS_read, SYS_write,
                SYS_recvfrom, SYS_sendto, SYS_connect, SYS_close, SYS_openat, SYS_execve,
        };

        for (size_t i = 0; i < ELEMENTSOF(waiting); i++)
                assert_int_equal(place_in(waiting[i]), THREAD_WAITING);
        for (size_t i = 0; i < ELEMENTSOF(elsewhere); i++)
                assert_int_equal(place_in(elsewhere[i]), THREAD_ELSEWHERE);
        assert_int_equal(thread_place_parse("running\n"), THREAD_RUNNING);
        assert_int_equal(thread_place_parse("-1 0x7ffc 0x7f12\n"), THREAD_ELSEWHERE);
        assert_int_equal(thread_place_parse(""), THREAD_ELSEWHERE);
}

static void only_calls_that_have_done_nothing_are_made_again(void **state) {
        assert_true(thread_call_waits_again(SYS_epoll_pwait));
        assert_true(thread_call_waits_again(SYS_rt_sigtimedwait));
        assert_true(thread_call_waits_again(SYS_recvfrom));
        assert_false(thread_call_waits_again(SYS_close));
        assert_false(thread_call_waits_again(SYS_nanosleep));
        assert_false(thread_call_waits_again(-1));
}

static void one_that_runs_computes_if_it_runs_and_never_waits(void **state) {
        const struct thread before = { .tid = 5, .nr_waits = 7, .run_time = 1000 };
        struct thread after = before;

        after.run_time += THREAD_OBSERVATION / 2;
        assert_true(thread_computes(&before, &after));
        after.run_time--;
        assert_false(thread_computes(&before, &after));
        after.run_time += 1000;
        after.nr_waits++;
        assert_false(thread_computes(&before, &after));
        after.nr_waits--;
        after.tid++;
        assert_false(thread_computes(&before, &after));
        /* the kernel does not say for how long it ran */
        after = before;
        after.run_time = 0;
        assert_false(thread_computes(&after, &after));
}

static sem_t posted;

static void *wait_for_post(void *data) {
        *(pid_t *) data = (pid_t) syscall(SYS_gettid);
        (void) sem_wait(&posted);
        (void) sem_wait(&posted);
        return NULL;
}

/* Of this very process: one thread waits, and this one is in no call when it is looked at. */
static void a_thread_that_waits_is_found_and_is_still_there_until_it_goes_on(void **state) {
        _cleanup_close_ int dir_fd = open("/proc/self", O_PATH | O_DIRECTORY);
        volatile pid_t tid = 0;
        struct thread thread = {};
        struct thread_files files;
        pthread_t waiter;

        assert_int_equal(sem_init(&posted, 0, 0), 0);
        assert_int_equal(pthread_create(&waiter, NULL, wait_for_post, (void *) &tid), 0);
        for (unsigned i = 0; i < 1000 && (thread_choose(dir_fd, false, &thread) < 0 || thread.tid != tid); i++)
                (void) usleep(1000);
        assert_true(tid != 0);
        assert_int_equal(thread.tid, tid);
        assert_int_equal(thread.place, THREAD_WAITING);
        assert_int_equal(thread_files_open(dir_fd, tid, &files), 0);
        assert_true(thread_is_still_there(&thread, &files));

        /* it waits in the same place soon, but it has been elsewhere */
        assert_int_equal(sem_post(&posted), 0);
        for (unsigned i = 0; i < 1000 && thread_is_still_there(&thread, &files); i++)
                (void) usleep(1000);
        (void) usleep(20000);
        assert_false(thread_is_still_there(&thread, &files));
        assert_int_equal(sem_post(&posted), 0);
        assert_int_equal(pthread_join(waiter, NULL), 0);
        thread_files_close(&files);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_status_decides_who_may_be_stopped),
                cmocka_unit_test(a_status_without_what_matters_is_none),
                cmocka_unit_test(only_calls_that_are_gone_on_with_are_waiting),
                cmocka_unit_test(only_calls_that_have_done_nothing_are_made_again),
                cmocka_unit_test(one_that_runs_computes_if_it_runs_and_never_waits),
                cmocka_unit_test(a_thread_that_waits_is_found_and_is_still_there_until_it_goes_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
