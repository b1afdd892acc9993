#include "callwalk.h"

#include "reach.h"

#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace migrated {

CallWalk::CallWalk(Module &M) {
  for (Function &F : M)
    if (!F.isDeclaration()) {
      ByName[&F] = &F;
      if (F.hasAddressTaken(nullptr, false, true, true))
        AddressTaken.push_back(&F);
    }
  for (Function &F : M)
    if (!F.isDeclaration())
      visit(F);
}

SmallVector<Function *> CallWalk::callersFirst() const {
  return SmallVector<Function *>(reverse(Finished));
}

ArrayRef<Function *> CallWalk::targets(const CallBase &CB) {
  if (CB.isInlineAsm())
    return {};
  if (Function *Callee = calledFunction(CB)) {
    auto It = ByName.find(Callee);
    return It == ByName.end() ? ArrayRef<Function *>() : ArrayRef(It->second);
  }
  auto [It, IsNew] = ByType.insert({CB.getFunctionType(), {}});
  if (IsNew)
    for (Function *F : AddressTaken)
      if (mayCall(CB.getFunctionType(), F->getFunctionType()))
        It->second.push_back(F);
  return It->second;
}

SmallVector<Function *> CallWalk::callees(Function &F) {
  SetVector<Function *> Fs;
  for (Instruction &I : instructions(F))
    if (auto *CB = dyn_cast<CallBase>(&I))
      Fs.insert(targets(*CB).begin(), targets(*CB).end());
  return SmallVector<Function *>(Fs.getArrayRef());
}

SmallVector<CallBase *> CallWalk::recursiveCalls(Function &F) {
  SmallVector<CallBase *> Calls;
  for (Instruction &I : instructions(F))
    if (auto *CB = dyn_cast<CallBase>(&I))
      if (any_of(targets(*CB), [&](Function *Callee) { return Cycle[Callee] == Cycle[&F]; }))
        Calls.push_back(CB);
  return Calls;
}

// What has been discovered from F on and is in no cycle yet is in F's.
void CallWalk::assignCycle(Function *F) {
  for (Function *Member = nullptr; Member != F;) {
    Member = Unassigned.pop_back_val();
    Cycle[Member] = Index[F];
  }
}

// With a stack of its own: call chains can be long.
void CallWalk::visit(Function &Start) {
  struct Item {
    Function *F;
    SmallVector<Function *> Callees;
  };
  std::vector<Item> Stack;
  auto Push = [&](Function *F) {
    States[F] = Open;
    unsigned N = Index.size();
    Index[F] = Low[F] = N;
    Unassigned.push_back(F);
    Stack.push_back({F, callees(*F)});
  };
  if (States.lookup(&Start) == New)
    Push(&Start);
  while (!Stack.empty()) {
    Item &Top = Stack.back();
    if (Top.Callees.empty()) {
      Function *F = Top.F;
      States[F] = Done;
      Finished.push_back(F);
      Stack.pop_back();
      if (!Stack.empty())
        Low[Stack.back().F] = std::min(Low[Stack.back().F], Low[F]);
      if (Low[F] == Index[F])
        assignCycle(F);
      continue;
    }
    Function *Callee = Top.Callees.pop_back_val();
    State S = States.lookup(Callee);
    if (S == Open)
      Entries.insert(Callee);
    if (S == New)
      Push(Callee);
    else if (!Cycle.contains(Callee))
      Low[Top.F] = std::min(Low[Top.F], Index[Callee]);
  }
}

} // namespace migrated
