// Functions whose first instructions are known, because where a uprobe sits decides its cost and
// its safety. All return their argument plus one.
#pragma once

extern "C" {
long nz_entry_push(long x);      // push first: emulated
long nz_entry_endbr(long x);     // endbr64, then push
long nz_entry_sub_call(long x);  // sub $24,%rsp, then call rel32: emulated, but the stack has moved
long nz_entry_sub_push(long x);  // sub $8,%rsp, then push: emulated, the stack has moved
long nz_entry_mov_push(long x);  // mov, then push: emulated, stack and argument untouched
long nz_entry_plain(long x);     // lea, ret: nothing emulated before the return
long nz_entry_nop5(long x);      // 5-byte nop at the entry
long nz_entry_loop(long x);      // mov, then push: but three branches lead back to the push
// A leaf that keeps its value at -8(%rsp) across a 5-byte nop. A probe on that nop overwrites it on
// kernels with the optimised uprobe.
long nz_leaf_redzone_nop5(long x);
}
