// Which functions can be on a machine stack when a thread leaves it.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

namespace migrated {

// The function that CB calls, seen through pointer casts; null if CB calls
// through a pointer or is inline assembly.
llvm::Function *calledFunction(const llvm::CallBase &CB);

// Whether a call in a function of libc or the kernel may be of one of the program's.
bool mayCallProgram(const llvm::CallBase &CB);

// True if a call of type Call can reach a function of type Callee: what both ABIs
// pass alike is the same, and a caller may ignore a result.
bool mayCall(const llvm::FunctionType *Call, const llvm::FunctionType *Callee);

// The closure over the call graph from the callers of __mig_leave. Calls through
// pointers reach every function of a matching type whose address is taken.
// Declarations are native code, which is never left.
class Reach {
public:
  explicit Reach(llvm::Module &M);

  bool isReached(const llvm::Function &F) const { return Reached.contains(&F); }

  // True if CB may call __mig_leave, directly or not.
  bool isSite(const llvm::CallBase &CB) const;

  // The reached functions, in the module's order.
  llvm::SmallVector<llvm::Function *> functions(llvm::Module &M) const;

private:
  llvm::DenseSet<const llvm::Function *> Reached;
  llvm::DenseSet<const llvm::FunctionType *> ReachedTypes; // of calls by pointer
};

} // namespace migrated
