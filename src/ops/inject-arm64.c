/* SPDX-License-Identifier: GPL-2.0-only */
/* Injection on 64-bit Arm: see inject-arch.h. */

#if defined(__aarch64__)

#include "inject-arch.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "macro.h"

#define PSTATE_MODE_32_BIT 0x10

#define X8 8                            /* number of a system call */
#define LR 30

/* arch/arm64/include/uapi/asm/sigcontext.h */
#define FPSIMD_MAGIC 0x46508001U
#define SZ_FPSIMD 528

/* the guarded control stack, on which returns are checked: NT_ARM_GCS of Linux 6.13 */
#define REGSET_GCS 0x410

struct gcs {
        uint64_t enabled, locked, pointer;
};

/* the general state of the floating-point unit, struct user_fpsimd_state */
struct fpsimd_state {
        __uint128_t vregs[32];
        uint32_t fpsr, fpcr;
        uint32_t reserved[2];
};

/* struct rt_sigframe, arch/arm64/kernel/signal.c */
struct sigframe {
        uint8_t info[128];
        uint64_t uc_flags, uc_link;
        uint64_t stack_sp;
        int32_t stack_flags, stack_pad;
        uint64_t stack_size;
        uint64_t sigmask;
        uint8_t unused[120];
        uint64_t pad;                   /* the context is aligned to 16 */
        uint64_t fault_address;
        uint64_t regs[31];
        uint64_t sp, pc, pstate;
        uint64_t pad2;                  /* and so are the records in it */
        uint32_t fpsimd_magic, fpsimd_size;
        uint32_t fpsr, fpcr;
        __uint128_t vregs[32];
        uint8_t end[4096 - SZ_FPSIMD];  /* a record of magic and size 0 ends them */
};

_Static_assert(offsetof(struct sigframe, fault_address) == 128 + 176, "struct ucontext");
_Static_assert(offsetof(struct sigframe, fpsimd_magic) == 128 + 176 + 288, "struct sigcontext");

const struct inject_bytes inject_arch_call = {
        "\x01\x00\x00\xd4\xc0\x03\x5f\xd6", 8,          /* svc #0; ret */
};

const struct inject_bytes inject_arch_sigreturns[] = {
        { "\x68\x11\x80\xd2\x01\x00\x00\xd4", 8 },      /* mov x8, #139; svc #0 */
        {},
};

const size_t inject_arch_align = 4;

/* Beyond what is saved here, a thread may have vector registers that only system calls make void. */
const bool inject_arch_may_run = false;

int inject_arch_save(pid_t tid, struct inject_thread *ret_thread) {
        struct iovec iov = { &ret_thread->regs, sizeof(ret_thread->regs) };
        struct gcs gcs = {};

        if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) < 0)
                return -errno;
        if (iov.iov_len != sizeof(ret_thread->regs) || (ret_thread->regs.pstate & PSTATE_MODE_32_BIT))
                return -ENOTSUP;
        iov = (struct iovec) { &gcs, sizeof(gcs) };
        if (ptrace(PTRACE_GETREGSET, tid, REGSET_GCS, &iov) == 0 && (gcs.enabled & 1))
                return -ENOTSUP;
        iov = (struct iovec) { &ret_thread->tls, sizeof(ret_thread->tls) };
        if (ptrace(PTRACE_GETREGSET, tid, NT_ARM_TLS, &iov) < 0)
                return -errno;
        iov = (struct iovec) { ret_thread->fp, sizeof(ret_thread->fp) };
        if (ptrace(PTRACE_GETREGSET, tid, NT_PRFPREG, &iov) < 0)
                return -errno;
        ret_thread->sz_fp = iov.iov_len;
        return 0;
}

/* It is in no call any more that the kernel would have to make again. */
int inject_arch_restore(pid_t tid, const struct user_regs_struct *regs) {
        struct iovec iov = { (void *) regs, sizeof(*regs) };
        int none = -1;

        if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov) < 0)
                return -errno;
        iov = (struct iovec) { &none, sizeof(none) };
        return ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &iov) < 0 ? -errno : 0;
}

uint64_t inject_arch_sp(const struct user_regs_struct *regs) {
        return regs->sp;
}

/* Only threads in system calls are stopped. */
uint64_t inject_arch_user_pc(const struct user_regs_struct *regs) {
        return 0;
}

/*
 * What lets the kernel make a call again has been done before the stop: do_signal() in
 * arch/arm64/kernel/signal.c. One that returns EINTR cannot be made again, as its first argument is
 * not known any more.
 */
bool inject_arch_wait_again(struct user_regs_struct *regs) {
        return false;
}

int inject_arch_frame(const struct inject_thread *thread, const struct inject_code *code,
                      struct inject_frame *frame) {
        struct fpsimd_state fpsimd;
        struct sigframe sigframe = {
                /* no valid flags: the alternate stack, which is not known, is left as it is */
                .stack_flags = INT32_MAX,
                .sigmask = thread->sigmask,
                .sp = thread->regs.sp, .pc = thread->regs.pc, .pstate = thread->regs.pstate,
                .fpsimd_magic = FPSIMD_MAGIC, .fpsimd_size = SZ_FPSIMD,
        };

        if (thread->sz_fp < sizeof(fpsimd))
                return -E2BIG;
        memcpy(&fpsimd, thread->fp, sizeof(fpsimd));
        memcpy(sigframe.regs, thread->regs.regs, sizeof(sigframe.regs));
        sigframe.fpsr = fpsimd.fpsr;
        sigframe.fpcr = fpsimd.fpcr;
        memcpy(sigframe.vregs, fpsimd.vregs, sizeof(sigframe.vregs));
        frame->size = sizeof(sigframe);
        frame->addr = (thread->regs.sp - sizeof(sigframe)) / 16 * 16;
        memcpy(frame->bytes, &sigframe, sizeof(sigframe));
        return 0;
}

void inject_arch_set_call(struct user_regs_struct *regs, const struct inject_code *code, uint64_t frame,
                          uint64_t start, uint64_t size, int advice) {
        regs->pc = code->call;
        regs->sp = frame;
        regs->regs[X8] = SYS_madvise;
        regs->regs[LR] = code->sigreturn;
        regs->regs[0] = start;
        regs->regs[1] = size;
        regs->regs[2] = (uint64_t) advice;
}

int inject_arch_result(const struct user_regs_struct *regs, const struct inject_code *code, uint64_t frame,
                       int64_t *ret_result) {
        if (regs->regs[X8] != SYS_madvise || regs->pc != code->call + 4 || regs->sp != frame)
                return -EBADMSG;
        *ret_result = (int64_t) regs->regs[0];
        return 0;
}

#endif
