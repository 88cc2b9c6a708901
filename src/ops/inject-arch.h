/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/*
 * What is different on each architecture about making a stopped thread execute a system call and
 * then go on as if it had not.
 *
 * The thread executes code that its program has in any case: an instruction that enters the
 * kernel, with a return behind it, and the end of a signal handler, rt_sigreturn(2), which takes
 * all registers from the stack. So it is given a stack on which it finds its own state, as if a
 * signal handler had been called, and the system call as the handler: whatever becomes of the one
 * that stopped it, it returns to where it was.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define INJECT_IS_SUPPORTED 1
#else
#define INJECT_IS_SUPPORTED 0
#endif

/** INJECT_FRAME_MAX - bytes of the largest frame */
#define INJECT_FRAME_MAX 16384

/**
 * struct inject_code - addresses of code in a process; 0 is unknown
 * @call:       enters the kernel and returns
 * @sigreturn:  returns from a signal handler
 */
struct inject_code {
        uint64_t call;
        uint64_t sigreturn;
};

/**
 * struct inject_bytes - code to look for
 * @bytes:      the code
 * @length:     its length
 */
struct inject_bytes {
        const char *bytes;
        size_t length;
};

/** inject_arch_call - what &inject_code.call looks like */
extern const struct inject_bytes inject_arch_call;

/** inject_arch_sigreturns - what &inject_code.sigreturn may look like; ends with a length of 0 */
extern const struct inject_bytes inject_arch_sigreturns[];

/** inject_arch_align - instructions begin at multiples of this */
extern const size_t inject_arch_align;

/** inject_arch_may_run - threads that run their own code may be stopped, too */
extern const bool inject_arch_may_run;

/**
 * struct inject_thread - state of a stopped thread
 * @regs:       general registers
 * @fp:         those of the floating-point and vector units, as the kernel gives them
 * @sz_fp:      bytes of them
 * @tls:        where the thread has its own variables
 * @sigmask:    blocked signals
 */
struct inject_thread {
        struct user_regs_struct regs;
        _Alignas(64) uint8_t fp[INJECT_FRAME_MAX - 1024];
        size_t sz_fp;
        uint64_t tls;
        uint64_t sigmask;
};

/**
 * struct inject_frame - what is put on the stack of a thread
 * @addr:       where
 * @bytes:      @size bytes
 * @size:       how many
 */
struct inject_frame {
        uint64_t addr;
        uint8_t bytes[INJECT_FRAME_MAX];
        size_t size;
};

/**
 * inject_arch_save() - read the state of a stopped thread
 * @tid:        thread
 * @ret_thread: set to it, but for the signals
 *
 * Return: 0; -ENOTSUP if it runs code of another architecture; or a negative errno.
 */
int inject_arch_save(pid_t tid, struct inject_thread *ret_thread);

/**
 * inject_arch_restore() - give a stopped thread back the registers it had
 * @tid:        thread
 * @regs:       registers
 *
 * Return: 0 or a negative errno.
 */
int inject_arch_restore(pid_t tid, const struct user_regs_struct *regs);

/**
 * inject_arch_sp() - stack pointer
 * @regs:       registers
 */
uint64_t inject_arch_sp(const struct user_regs_struct *regs);

/**
 * inject_arch_user_pc() - where it executes its own code
 * @regs:       registers
 *
 * Return: address, 0 if it is in a system call.
 */
uint64_t inject_arch_user_pc(const struct user_regs_struct *regs);

/**
 * inject_arch_wait_again() - see to it that a system call which the stop has ended goes on
 * @regs:       registers
 *
 * Calls that return EINTR after any stop are made to return what lets the kernel decide, when the
 * thread goes on: EINTR if there is a signal with a handler, and otherwise the call is made again.
 *
 * Return: whether the registers were changed.
 */
bool inject_arch_wait_again(struct user_regs_struct *regs);

/**
 * inject_arch_frame() - make the frame from which a thread returns to where it was
 * @thread:     state of the thread
 * @code:       code
 * @frame:      receives the frame: below all that the thread may have on its stack
 *
 * Return: 0; -E2BIG if it has more state than there is room for.
 */
int inject_arch_frame(const struct inject_thread *thread, const struct inject_code *code,
                      struct inject_frame *frame);

/**
 * inject_arch_set_call() - registers for madvise(2), with which a thread ends up in the frame
 * @regs:       those of the thread; changed
 * @code:       code
 * @frame:      address of the frame
 * @start, @size, @advice: arguments
 */
void inject_arch_set_call(struct user_regs_struct *regs, const struct inject_code *code, uint64_t frame,
                          uint64_t start, uint64_t size, int advice);

/**
 * inject_arch_result() - what the system call has returned
 * @regs:       registers after it
 * @code:       code
 * @frame:      address of the frame
 * @ret_result: set to the result
 *
 * Return: 0, -EBADMSG if the thread is not behind the call.
 */
int inject_arch_result(const struct user_regs_struct *regs, const struct inject_code *code, uint64_t frame,
                       int64_t *ret_result);
