// What the passes emit references to, named as in docs/runtime-abi.md.
#pragma once

#include "llvm/IR/Module.h"

namespace migrated::abi {

// struct mig_ctl.pending of kernel/include/host_abi.h: what a poll loads.
constexpr uint64_t PendingAddress = 0x02000000;

// Bytes of __mig_result.
constexpr uint64_t ResultSize = 256;

// jmp_buf: 32 words of 8 bytes, 16-aligned.
constexpr uint64_t JmpBufSize = 32 * 8;
constexpr uint64_t JmpBufAlign = 16;

constexpr char LeaveName[] = "__mig_leave";
constexpr char PollSlowName[] = "__mig_poll_slow";
constexpr char PollGapName[] = "__mig_poll_gap";
constexpr char SetjmpName[] = "__mig_setjmp";
constexpr char LongjmpName[] = "__mig_longjmp";

// Where data that belongs to one build lies; it does not travel.
constexpr char PrivateRodata[] = ".rodata.mig.private";

llvm::FunctionCallee pollSlow(llvm::Module &M);    // void ()
llvm::FunctionCallee pollGap(llvm::Module &M);     // void ()
llvm::FunctionCallee stackOverflow(llvm::Module &M); // void (), noreturn
llvm::FunctionCallee saved(llvm::Module &M);       // void (i32 site, i32 size), noreturn
llvm::FunctionCallee setjmp(llvm::Module &M);      // i32 (ptr, i64 fid, i32 site, ptr slot)
llvm::FunctionCallee longjmp(llvm::Module &M);     // void (ptr, i32), noreturn
llvm::Function *personality(llvm::Module &M);
llvm::GlobalVariable *result(llvm::Module &M);     // bytes
llvm::GlobalVariable *shadowTop(llvm::Module &M);  // ptr: __mig_ssp
llvm::GlobalVariable *shadowLimit(llvm::Module &M); // ptr: __mig_ssp_limit

// Defined here if nowhere.
llvm::GlobalVariable *frameCount(llvm::Module &M);   // i64: __mig_fid
llvm::GlobalVariable *resumeRecord(llvm::Module &M); // ptr: of the frame that comes back
llvm::GlobalVariable *resumeSite(llvm::Module &M);   // i32: its site + 1; 0: none comes back

} // namespace migrated::abi
