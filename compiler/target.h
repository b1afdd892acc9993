// Targets as the passes see them.
#pragma once

#include "llvm/IR/Module.h"

namespace migrated {

// What the program is optimised for while it is one module for all builds: a machine whose
// sizes and alignments are those of each build, and whose cost model is an ordinary one.
constexpr const char *NeutralTriple = "x86_64-unknown-linux-musl";
constexpr const char *NeutralLayout =
    "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128";

// All data layouts in which a program has to look the same: clang's for riscv64, x86_64 and
// aarch64 with Linux.
constexpr const char *Layouts[] = {
    "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128",
    NeutralLayout,
    "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32",
};

// Removes what says for which CPU and ABI, and with which hardening, code was compiled.
void stripTarget(llvm::Module &M);

} // namespace migrated
