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

// With a stack of its own: call chains can be long.
void CallWalk::visit(Function &Start) {
  struct Item {
    Function *F;
    SmallVector<Function *> Callees;
  };
  std::vector<Item> Stack;
  auto Push = [&](Function *F) {
    States[F] = Open;
    Stack.push_back({F, callees(*F)});
  };
  if (States.lookup(&Start) == New)
    Push(&Start);
  while (!Stack.empty()) {
    Item &Top = Stack.back();
    if (Top.Callees.empty()) {
      States[Top.F] = Done;
      Finished.push_back(Top.F);
      Stack.pop_back();
      continue;
    }
    Function *Callee = Top.Callees.pop_back_val();
    State S = States.lookup(Callee);
    if (S == Open)
      Entries.insert(Callee);
    else if (S == New)
      Push(Callee);
  }
}

} // namespace migrated
