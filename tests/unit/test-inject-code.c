/* SPDX-License-Identifier: GPL-2.0-only */
/* What is looked for in a process that is to make a system call, and the frame from which it returns. */

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "inject-code.h"
#include "macro.h"
#include "root.h"

static const char maps[] =
        "55d0c0000000-55d0c0001000 r-xp 00001000 fe:00 11 /usr/bin/a b\n"
        "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
        "7f0000021000-7f0004000000 ---p 00000000 00:00 0 \n"
        "7f0004000000-7f0004800000 rw-p 00000000 00:00 0 \n"
        "7f0005000000-7f0005001000 ---p 00000000 00:00 0 \n"
        "7f0005002000-7f0005800000 rw-p 00000000 00:00 0 \n"
        "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n";

static void a_line_is_taken_apart(void **state) {
        const char *text = maps;
        struct inject_mapping mapping;
        unsigned nr = 1;

        assert_true(inject_mapping_next(&text, &mapping));
        assert_int_equal(mapping.start, 0x55d0c0000000);
        assert_int_equal(mapping.end, 0x55d0c0001000);
        assert_true(mapping.readable && !mapping.writable && mapping.executable);
        assert_int_equal(mapping.sz_name, strlen("/usr/bin/a b"));
        assert_memory_equal(mapping.name, "/usr/bin/a b", mapping.sz_name);
        assert_true(inject_mapping_next(&text, &mapping));
        assert_int_equal(mapping.sz_name, 0);
        for (nr++; inject_mapping_next(&text, &mapping); nr++)
                ;
        assert_int_equal(nr, 7);
        assert_int_equal(mapping.sz_name, strlen("[stack]"));
        text = "nonsense\n";
        assert_false(inject_mapping_next(&text, &mapping));
}

static void only_stacks_of_known_kinds_have_room(void **state) {
        uint64_t start = 0;

        assert_int_equal(inject_stack_find(maps, 0x7ffd00020000, 0x7f0004700000, &start), 0);
        assert_int_equal(start, 0x7ffd00000000);
        /* of a thread: a guard below, its variables above */
        assert_int_equal(inject_stack_find(maps, 0x7f0004600000, 0x7f0004700000, &start), 0);
        assert_int_equal(start, 0x7f0004000000);
        /* its variables are below, elsewhere, or right behind */
        assert_int_equal(inject_stack_find(maps, 0x7f0004600000, 0x7f0004500000, &start), -EXDEV);
        assert_int_equal(inject_stack_find(maps, 0x7f0004600000, 0x7f0005700000, &start), -EXDEV);
        assert_int_equal(inject_stack_find(maps, 0x7f0004600000, 0x7f0004800000, &start), -EXDEV);
        /* no guard, or not right below; no memory; nothing to write to */
        assert_int_equal(inject_stack_find(maps, 0x7f0000010000, 0x7f0000020000, &start), -EXDEV);
        assert_int_equal(inject_stack_find(maps, 0x7f0005010000, 0x7f0005020000, &start), -EXDEV);
        assert_int_equal(inject_stack_find(maps, 0x7f0004900000, 0x7f0004900008, &start), -EXDEV);
        assert_int_equal(inject_stack_find(maps, 0x55d0c0000100, 0x55d0c0000200, &start), -EXDEV);
}

static void code_is_found_where_it_is(void **state) {
        uint8_t bytes[256] = {};
        struct inject_code code = {};
        size_t call = 10 * inject_arch_align, sigreturn = 40 * inject_arch_align;

        memcpy(bytes + call, inject_arch_call.bytes, inject_arch_call.length);
        assert_false(inject_code_search(bytes, sizeof(bytes), 0x1000, &code));
        assert_int_equal(code.call, 0x1000 + call);
        assert_int_equal(code.sigreturn, 0);
        memcpy(bytes + sigreturn, inject_arch_sigreturns[0].bytes, inject_arch_sigreturns[0].length);
        assert_true(inject_code_search(bytes, sizeof(bytes), 0x5000, &code));
        assert_int_equal(code.call, 0x1000 + call);
        assert_int_equal(code.sigreturn, 0x5000 + sigreturn);
        /* cut off */
        code = (struct inject_code) {};
        assert_false(inject_code_search(bytes, sigreturn + inject_arch_sigreturns[0].length - 1, 0, &code));
        assert_int_equal(code.sigreturn, 0);
}

static void every_program_has_the_code(void **state) {
        _cleanup_free_ char *text = NULL;
        struct inject_code code = {};
        size_t size = 0;

        assert_true(root_read_all(AT_FDCWD, "/proc/self/maps", &text, &size) > 0);
        assert_int_equal(inject_code_find(getpid(), text, &code), 0);
        assert_true(inject_code_is_there(getpid(), &code));
        assert_memory_equal((void *) (uintptr_t) code.call, inject_arch_call.bytes, inject_arch_call.length);
        code.call++;
        assert_false(inject_code_is_there(getpid(), &code));
        assert_false(inject_code_is_there(getpid(), &(struct inject_code) {}));
}

#if defined(__x86_64__)
static struct user_regs_struct regs_in(long nr, int64_t result) {
        return (struct user_regs_struct) {
                .rip = 0x401002, .rsp = 0x7ffd00010008, .cs = 0x33, .orig_rax = (uint64_t) nr,
                .rax = (uint64_t) result, .rbx = 0xb, .r15 = 0xf,
        };
}

/* Offsets of struct rt_sigframe: what rt_sigreturn(2) takes the registers from. */
enum {
        FRAME_FLAGS = 8,
        FRAME_STACK_FLAGS = 32,
        FRAME_R15 = 48 + 7 * 8,
        FRAME_RBX = 48 + 11 * 8,
        FRAME_RAX = 48 + 13 * 8,
        FRAME_RSP = 48 + 15 * 8,
        FRAME_RIP = 48 + 16 * 8,
        FRAME_FP = 48 + 23 * 8,
        FRAME_MASK = 48 + 256,
};

static uint64_t word(const struct inject_frame *frame, size_t offset) {
        uint64_t value;

        memcpy(&value, frame->bytes + offset, sizeof(value));
        return value;
}

static void make_frame(long nr, int64_t result, struct inject_frame *frame) {
        static struct inject_thread thread;
        const struct inject_code code = { .call = 1, .sigreturn = 0x1234 };

        thread = (struct inject_thread) { .regs = regs_in(nr, result), .sz_fp = 832, .sigmask = 0x4000 };
        thread.fp[464] = 7;             /* x87, SSE and AVX */
        memset(thread.fp + 160, 0xab, 256);
        assert_int_equal(inject_arch_frame(&thread, &code, frame), 0);
}

static void the_frame_holds_the_state_below_the_red_zone(void **state) {
        static struct inject_frame frame;
        uint64_t fp;
        uint32_t magic;

        make_frame(-1, 42, &frame);
        assert_int_equal(frame.addr + frame.size, 0x7ffd00010008 - 128);
        assert_int_equal(word(&frame, 0), 0x1234);
        assert_int_equal(word(&frame, FRAME_R15), 0xf);
        assert_int_equal(word(&frame, FRAME_RBX), 0xb);
        assert_int_equal(word(&frame, FRAME_RAX), 42);
        assert_int_equal(word(&frame, FRAME_RSP), 0x7ffd00010008);
        assert_int_equal(word(&frame, FRAME_RIP), 0x401002);
        assert_int_equal(word(&frame, FRAME_MASK), 0x4000);
        fp = word(&frame, FRAME_FP);
        assert_int_equal(fp % 64, 0);
        assert_true(fp > frame.addr + FRAME_MASK && fp + 832 + 4 <= frame.addr + frame.size);
        assert_int_equal(frame.bytes[fp - frame.addr + 160], 0xab);
        memcpy(&magic, frame.bytes + (fp - frame.addr) + 464, sizeof(magic));
        assert_int_equal(magic, 0x46505853);
        memcpy(&magic, frame.bytes + (fp - frame.addr) + 832, sizeof(magic));
        assert_int_equal(magic, 0x46505845);
}

static void a_call_that_was_ended_is_made_again_from_the_frame(void **state) {
        static struct inject_frame frame;

        for (int64_t error = -512; error >= -516; error--) {
                if (error == -515)
                        continue;
                make_frame(35, error, &frame);
                assert_int_equal(word(&frame, FRAME_RAX), 35);
                assert_int_equal(word(&frame, FRAME_RIP), 0x401000);
        }
        make_frame(35, -EINTR, &frame);
        assert_int_equal(word(&frame, FRAME_RAX), (uint64_t) -EINTR);
        assert_int_equal(word(&frame, FRAME_RIP), 0x401002);
        /* in no call, it is a value like any other */
        make_frame(-1, -512, &frame);
        assert_int_equal(word(&frame, FRAME_RAX), (uint64_t) -512);
        assert_int_equal(word(&frame, FRAME_RIP), 0x401002);
}

static void what_returns_early_is_left_to_the_kernel(void **state) {
        struct user_regs_struct regs = regs_in(232, -EINTR);    /* epoll_wait */

        assert_true(inject_arch_wait_again(&regs));
        assert_int_equal(regs.rax, (uint64_t) -514);
        assert_int_equal(regs.orig_rax, 232);
        regs = regs_in(3, -EINTR);                              /* close: done all the same */
        assert_false(inject_arch_wait_again(&regs));
        regs = regs_in(232, 1);
        assert_false(inject_arch_wait_again(&regs));
        regs = regs_in(-1, -EINTR);
        assert_false(inject_arch_wait_again(&regs));
}

static void a_call_ends_up_in_the_frame(void **state) {
        const struct inject_code code = { .call = 0x7000, .sigreturn = 0x8000 };
        struct user_regs_struct regs = regs_in(35, -512);
        int64_t result = 1;

        inject_arch_set_call(&regs, &code, 0x9000, 0x200000, 0x400000, 15);
        assert_int_equal(regs.rip, 0x7000);
        assert_int_equal(regs.rsp, 0x9000);
        assert_int_equal(regs.rax, 28);
        assert_int_equal(regs.orig_rax, UINT64_MAX);
        assert_int_equal(regs.rdi, 0x200000);
        assert_int_equal(regs.rsi, 0x400000);
        assert_int_equal(regs.rdx, 15);
        assert_int_equal(inject_arch_result(&regs, &code, 0x9000, &result), -EBADMSG);
        regs.orig_rax = 28;
        regs.rip += 2;
        regs.rax = (uint64_t) -ENOMEM;
        assert_int_equal(inject_arch_result(&regs, &code, 0x9000, &result), 0);
        assert_int_equal(result, -ENOMEM);
}
#endif

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_is_taken_apart),
                cmocka_unit_test(only_stacks_of_known_kinds_have_room),
                cmocka_unit_test(code_is_found_where_it_is),
                cmocka_unit_test(every_program_has_the_code),
#if defined(__x86_64__)
                cmocka_unit_test(the_frame_holds_the_state_below_the_red_zone),
                cmocka_unit_test(a_call_that_was_ended_is_made_again_from_the_frame),
                cmocka_unit_test(what_returns_early_is_left_to_the_kernel),
                cmocka_unit_test(a_call_ends_up_in_the_frame),
#endif
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
