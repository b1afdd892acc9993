// A walk of the call graph, depth first.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

#include <map>

namespace migrated {

// Calls through pointers count as calls of every function that they may reach.
class CallWalk {
public:
  explicit CallWalk(llvm::Module &M);

  // The functions that a call goes back to: each cycle of calls has one.
  const llvm::SetVector<llvm::Function *> &cycleEntries() const { return Entries; }

  // All functions; one that calls another comes before it, but for cycles.
  llvm::SmallVector<llvm::Function *> callersFirst() const;

  // The defined functions that CB may call.
  llvm::ArrayRef<llvm::Function *> targets(const llvm::CallBase &CB);

private:
  enum State { New, Open, Done };

  llvm::SmallVector<llvm::Function *> callees(llvm::Function &F);
  void visit(llvm::Function &Start);

  llvm::SmallVector<llvm::Function *> AddressTaken;
  std::map<llvm::FunctionType *, llvm::SmallVector<llvm::Function *>> ByType;
  std::map<llvm::Function *, llvm::Function *> ByName; // one-element lists
  llvm::DenseMap<llvm::Function *, State> States;
  llvm::SetVector<llvm::Function *> Entries;
  llvm::SmallVector<llvm::Function *> Finished; // callees first
};

} // namespace migrated
