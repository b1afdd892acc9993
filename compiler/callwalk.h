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

  // The calls in F by which it may come to run again within itself.
  llvm::SmallVector<llvm::CallBase *> recursiveCalls(llvm::Function &F);

  // Two functions call each other, or are the same, if this is the same of both.
  unsigned cycleOf(llvm::Function &F) const { return Cycle.lookup(&F); }

  // All functions; one that calls another comes before it, but for cycles.
  llvm::SmallVector<llvm::Function *> callersFirst() const;
  llvm::ArrayRef<llvm::Function *> calleesFirst() const { return Finished; }

  // The defined functions that CB may call.
  llvm::ArrayRef<llvm::Function *> targets(const llvm::CallBase &CB);

private:
  enum State { New, Open, Done };

  llvm::SmallVector<llvm::Function *> callees(llvm::Function &F);
  void visit(llvm::Function &Start);
  void assignCycle(llvm::Function *F);

  llvm::SmallVector<llvm::Function *> AddressTaken;
  std::map<llvm::FunctionType *, llvm::SmallVector<llvm::Function *>> ByType;
  std::map<llvm::Function *, llvm::Function *> ByName; // one-element lists
  llvm::DenseMap<llvm::Function *, State> States;
  llvm::SetVector<llvm::Function *> Entries;
  // Of the functions that are open or done, in the order of their discovery (Tarjan, "Depth-first
  // search and linear graph algorithms", 1972): Cycle is the same for all that call each other.
  llvm::DenseMap<llvm::Function *, unsigned> Index, Low, Cycle;
  llvm::SmallVector<llvm::Function *> Unassigned;
  llvm::SmallVector<llvm::Function *> Finished; // callees first
};

} // namespace migrated
