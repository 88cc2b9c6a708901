/* SPDX-License-Identifier: GPL-2.0-only */
/* Injection on x86-64: see inject-arch.h. */

#if defined(__x86_64__)

#include "inject-arch.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "macro.h"
#include "thread.h"

/* Below its stack pointer, code may use so much without moving it: System V ABI, 3.2.2. */
#define RED_ZONE 128

#define CS_64_BIT 0x33

/* include/linux/errno.h: what system calls that were ended by a signal return inside the kernel */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

/* arch/x86/include/uapi/asm/ucontext.h and sigcontext.h */
#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define FP_XSTATE_MAGIC1 0x46505853U
#define FP_XSTATE_MAGIC2 0x46505845U
#define SW_BYTES 464                    /* in the floating-point state */
#define XSTATE_HEADER 512               /* which begins with the set of what is in use */
#define XSTATE_MIN 576
#define XFEATURE_TILE_DATA (UINT64_C(1) << 18)

/* struct rt_sigframe, arch/x86/include/asm/sigframe.h; info is not read and may be missing */
struct sigframe {
        uint64_t return_address;
        uint64_t uc_flags, uc_link;
        uint64_t stack_sp;
        int32_t stack_flags, stack_pad;
        uint64_t stack_size;
        uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
        uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
        uint16_t cs, gs, fs, ss;
        uint64_t error, trap, old_mask, cr2;
        uint64_t fp;
        uint64_t reserved[8];
        uint64_t sigmask;
};

/* struct _fpx_sw_bytes */
struct sw_bytes {
        uint32_t magic1;
        uint32_t extended_size;
        uint64_t xfeatures;
        uint32_t xstate_size;
};

const struct inject_bytes inject_arch_call = { "\x0f\x05\xc3", 3 };      /* syscall; ret */

const struct inject_bytes inject_arch_sigreturns[] = {
        { "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", 9 },                   /* mov $15, %rax; syscall */
        { "\xb8\x0f\x00\x00\x00\x0f\x05", 7 },                           /* mov $15, %eax; syscall */
        {},
};

const size_t inject_arch_align = 1;
const bool inject_arch_may_run = true;

int inject_arch_save(pid_t tid, struct inject_thread *ret_thread) {
        struct iovec iov = { &ret_thread->regs, sizeof(ret_thread->regs) };

        if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) < 0)
                return -errno;
        if (iov.iov_len != sizeof(ret_thread->regs) || ret_thread->regs.cs != CS_64_BIT)
                return -ENOTSUP;
        ret_thread->tls = ret_thread->regs.fs_base;
        iov = (struct iovec) { ret_thread->fp, sizeof(ret_thread->fp) };
        if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &iov) < 0)
                return errno == ENODEV ? -ENOTSUP : -errno;
        ret_thread->sz_fp = iov.iov_len;
        return 0;
}

/* With orig_rax and what the call returned: the kernel makes it again, if no signal is in the way. */
int inject_arch_restore(pid_t tid, const struct user_regs_struct *regs) {
        struct iovec iov = { (void *) regs, sizeof(*regs) };

        return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

uint64_t inject_arch_sp(const struct user_regs_struct *regs) {
        return regs->rsp;
}

uint64_t inject_arch_user_pc(const struct user_regs_struct *regs) {
        return (int64_t) regs->orig_rax < 0 ? regs->rip : 0;
}

bool inject_arch_wait_again(struct user_regs_struct *regs) {
        if ((int64_t) regs->orig_rax < 0 || (int64_t) regs->rax != -EINTR ||
            !thread_call_waits_again((long) regs->orig_rax))
                return false;
        regs->rax = (uint64_t) -ERESTARTNOHAND;
        return true;
}

/* As the kernel does it, arch_do_signal_or_restart(), but that a call is made anew in any case. */
static void restart(struct sigframe *frame, const struct user_regs_struct *regs) {
        if ((int64_t) regs->orig_rax < 0)
                return;
        switch ((int64_t) regs->rax) {
        case -ERESTARTSYS:
        case -ERESTARTNOINTR:
        case -ERESTARTNOHAND:
        case -ERESTART_RESTARTBLOCK:
                frame->rax = regs->orig_rax;
                frame->rip = regs->rip - 2;
                break;
        }
}

/*
 * Of the floating-point state: in its standard form, up to the end of the last part that a thread
 * may have without asking. More than it may have would not be taken.
 */
static size_t usual_fp_size(uint64_t features) {
        size_t size = XSTATE_MIN;

        for (unsigned i = 2; i < 63; i++) {
                unsigned part_size, offset, c, d;

                if ((features & ~XFEATURE_TILE_DATA) >> i & 1 && __get_cpuid_count(0xd, i, &part_size, &offset, &c, &d))
                        size = MAX(size, (size_t) offset + part_size);
        }
        return size;
}

static uint64_t put_fp(struct inject_frame *frame, const struct inject_thread *thread, uint64_t top) {
        static const uint32_t end = FP_XSTATE_MAGIC2;
        struct sw_bytes sw = { .magic1 = FP_XSTATE_MAGIC1 };
        uint64_t in_use, addr;
        size_t size;

        memcpy(&sw.xfeatures, thread->fp + SW_BYTES, sizeof(sw.xfeatures));
        memcpy(&in_use, thread->fp + XSTATE_HEADER, sizeof(in_use));
        size = thread->sz_fp;
        if (!(in_use & XFEATURE_TILE_DATA)) {
                size = MIN(size, usual_fp_size(sw.xfeatures));
                sw.xfeatures &= ~XFEATURE_TILE_DATA;
        }
        sw.xstate_size = (uint32_t) size;
        sw.extended_size = (uint32_t) (size + sizeof(end));

        addr = (top - size - sizeof(end)) / 64 * 64;
        frame->addr = (addr - sizeof(struct sigframe)) / 16 * 16;
        frame->size = top - frame->addr;
        memset(frame->bytes, 0, frame->size);
        memcpy(frame->bytes + (addr - frame->addr), thread->fp, size);
        memcpy(frame->bytes + (addr - frame->addr) + size, &end, sizeof(end));
        memset(frame->bytes + (addr - frame->addr) + SW_BYTES, 0, 48);
        memcpy(frame->bytes + (addr - frame->addr) + SW_BYTES, &sw, sizeof(sw));
        return addr;
}

int inject_arch_frame(const struct inject_thread *thread, const struct inject_code *code,
                      struct inject_frame *frame) {
        const struct user_regs_struct *regs = &thread->regs;
        struct sigframe sigframe = {
                .return_address = code->sigreturn,
                .uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
                /* no valid flags: the alternate stack, which is not known, is left as it is */
                .stack_flags = INT32_MAX,
                .r8 = regs->r8, .r9 = regs->r9, .r10 = regs->r10, .r11 = regs->r11,
                .r12 = regs->r12, .r13 = regs->r13, .r14 = regs->r14, .r15 = regs->r15,
                .rdi = regs->rdi, .rsi = regs->rsi, .rbp = regs->rbp, .rbx = regs->rbx,
                .rdx = regs->rdx, .rax = regs->rax, .rcx = regs->rcx, .rsp = regs->rsp,
                .rip = regs->rip, .eflags = regs->eflags,
                .cs = (uint16_t) regs->cs, .ss = (uint16_t) regs->ss,
                .sigmask = thread->sigmask,
        };

        if (thread->sz_fp < XSTATE_MIN || thread->sz_fp + sizeof(sigframe) + 128 > sizeof(frame->bytes))
                return -E2BIG;
        restart(&sigframe, regs);
        sigframe.fp = put_fp(frame, thread, regs->rsp - RED_ZONE);
        memcpy(frame->bytes, &sigframe, sizeof(sigframe));
        return 0;
}

void inject_arch_set_call(struct user_regs_struct *regs, const struct inject_code *code, uint64_t frame,
                          uint64_t start, uint64_t size, int advice) {
        regs->rip = code->call;
        regs->rsp = frame;
        regs->rax = SYS_madvise;
        regs->orig_rax = UINT64_MAX;            /* it is in no system call that could be made again */
        regs->rdi = start;
        regs->rsi = size;
        regs->rdx = (uint64_t) advice;
}

int inject_arch_result(const struct user_regs_struct *regs, const struct inject_code *code, uint64_t frame,
                       int64_t *ret_result) {
        if (regs->orig_rax != SYS_madvise || regs->rip != code->call + 2 || regs->rsp != frame)
                return -EBADMSG;
        *ret_result = (int64_t) regs->rax;
        return 0;
}

#endif
