#include "tests/workloads/micro/entries.h"

// Text, not compiler output: the exact first bytes are the point. The unwind information is kept
// right, so that stacks through these functions can be walked.
#define NZ_FUNCTION(name, body)                                                 \
  asm(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name \
      ":\n"                                                                     \
      ".cfi_startproc\n" body ".cfi_endproc\n.size " #name ", . - " #name "\n")

#define NZ_NOP5 ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"

#define NZ_PUSH_BODY            \
  "push %rbp\n"                 \
  ".cfi_adjust_cfa_offset 8\n"  \
  "lea 1(%rdi), %rax\n"         \
  "pop %rbp\n"                  \
  ".cfi_adjust_cfa_offset -8\n" \
  "ret\n"

NZ_FUNCTION(nz_entry_push, NZ_PUSH_BODY);

NZ_FUNCTION(nz_entry_endbr, "endbr64\n" NZ_PUSH_BODY);

asm(".text\n.p2align 4\n.type nz_entry_callee, @function\nnz_entry_callee:\n"
    ".cfi_startproc\nlea 1(%rdi), %rax\nret\n.cfi_endproc\n"
    ".size nz_entry_callee, . - nz_entry_callee\n");
NZ_FUNCTION(nz_entry_sub_call,
            "sub $24, %rsp\n"
            ".cfi_adjust_cfa_offset 24\n"
            "call nz_entry_callee\n"
            "add $24, %rsp\n"
            ".cfi_adjust_cfa_offset -24\n"
            "ret\n");

NZ_FUNCTION(nz_entry_sub_push,
            "sub $8, %rsp\n"
            ".cfi_adjust_cfa_offset 8\n"
            "push %rbx\n"
            ".cfi_adjust_cfa_offset 8\n"
            "lea 1(%rdi), %rax\n"
            "pop %rbx\n"
            ".cfi_adjust_cfa_offset -8\n"
            "add $8, %rsp\n"
            ".cfi_adjust_cfa_offset -8\n"
            "ret\n");

NZ_FUNCTION(nz_entry_mov_push, "mov %rdi, %rsi\n" NZ_PUSH_BODY);

NZ_FUNCTION(nz_entry_plain,
            "lea 1(%rdi), %rax\n"
            "ret\n");

NZ_FUNCTION(nz_entry_nop5, NZ_NOP5 NZ_PUSH_BODY);

NZ_FUNCTION(nz_entry_loop,
            "mov $4, %ecx\n"
            "1: push %rbp\n"
            ".cfi_adjust_cfa_offset 8\n"
            "lea 1(%rdi), %rax\n"
            "pop %rbp\n"
            ".cfi_adjust_cfa_offset -8\n"
            "sub $1, %ecx\n"
            "jnz 1b\n"
            "ret\n");

NZ_FUNCTION(nz_leaf_redzone_nop5, "mov %rdi, -8(%rsp)\n" NZ_NOP5
                                  "mov -8(%rsp), %rax\n"
                                  "add $1, %rax\n"
                                  "ret\n");
