// A function that often returns before it has called anything that can leave is cut in two: the
// way to those returns stays, and ends with a call of the rest. No save pad, no test for being
// resumed and no register that the rest needs is in its way then: LLVM puts off the saving of
// registers only in functions all of whose ways return, and save pads do not.
#include "abi.h"
#include "core.h"
#include "frame.h"
#include "poll.h"
#include "reach.h"

#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace migrated {

namespace {

// What a call passes in registers on every ISA.
constexpr unsigned WordRegisters = 6, FloatRegisters = 8;

// Instructions that both parts may have.
constexpr unsigned MostShared = 16;

// Of so many calls one may go on to the rest, by LLVM's guess: it is called for nothing then.
constexpr unsigned CallsOfRest = 4;

class EarlyReturns {
public:
  EarlyReturns(Function &F, FunctionAnalysisManager &FAM, const Reach &Reached)
      : F(F), Reached(Reached), DT(FAM.getResult<DominatorTreeAnalysis>(F)),
        LI(FAM.getResult<LoopAnalysis>(F)), BFI(FAM.getResult<BlockFrequencyAnalysis>(F)) {}

  void cut() {
    if (!isPlain() || !findRest() || !isOftenEarly() || !isEarlySimple())
      return;
    // What the rest begins with is its parameter, too.
    Begin = SplitBlock(Last, &*Last->getFirstNonPHIOrDbgOrAlloca());
    Blocks.remove(Last);
    Blocks.insert(Begin);
    findParameters();
    if (fitsRegisters())
      callRest(*makeRest());
  }

private:
  bool isPlain() const {
    if (F.isVarArg() || F.hasFnAttribute(InterpreterAttr))
      return false;
    for (const Argument &A : F.args())
      if (A.hasPassPointeeByValueCopyAttr() || A.hasStructRetAttr())
        return false;
    return none_of(instructions(F), [](const Instruction &I) {
      auto *CB = dyn_cast<CallBase>(&I);
      Function *Callee = CB ? calledFunction(*CB) : nullptr;
      return isa<AllocaInst>(I) || (Callee && Callee->getName() == abi::SetjmpName);
    });
  }

  // Finds the last block that all calls which leave a record are behind, and that runs once.
  bool findRest() {
    for (Instruction &I : instructions(F))
      if (auto *CI = dyn_cast<CallInst>(&I); CI && Reached.isSite(*CI) && leavesRecord(*CI) &&
                                             DT.isReachableFromEntry(CI->getParent()))
        Last = Last ? DT.findNearestCommonDominator(Last, CI->getParent()) : CI->getParent();
    if (!Last)
      return false;
    while (Loop *L = LI.getLoopFor(Last))
      Last = DT.getNode(L->getOutermostLoop()->getHeader())->getIDom()->getBlock();
    if (Last->isEntryBlock())
      return false;
    unsigned Shared = 0;
    for (BasicBlock *BB : depth_first(Last)) {
      if (is_contained(successors(BB), Last))
        return false; // a cycle that is no loop
      Blocks.insert(BB);
      if (!DT.dominates(Last, BB))
        Shared += BB->size();
    }
    return Shared <= MostShared;
  }

  bool isOftenEarly() const {
    return BFI.getBlockFreq(Last).getFrequency() <= BFI.getEntryFreq().getFrequency() / CallsOfRest;
  }

  // Calls would have registers saved all the same.
  bool isEarlySimple() const {
    return all_of(F, [&](const BasicBlock &BB) {
      if (DT.dominates(Last, &BB) || isa<UnreachableInst>(BB.getTerminator()))
        return true;
      return all_of(BB, [](const Instruction &I) {
        return !isa<CallBase>(I) || (isa<IntrinsicInst>(I) && !isa<AnyMemIntrinsic>(I));
      });
    });
  }

  void findParameters() {
    SetVector<Value *> Values;
    for (BasicBlock *BB : Blocks)
      for (Instruction &I : *BB)
        for (Use &U : I.operands()) {
          auto *Phi = dyn_cast<PHINode>(&I);
          if (Phi && !Blocks.contains(Phi->getIncomingBlock(U)))
            continue;
          auto *Def = dyn_cast<Instruction>(U);
          if (isa<Argument>(U) || (Def && !Blocks.contains(Def->getParent())))
            Values.insert(U);
        }
    for (Argument &A : F.args())
      if (Values.contains(&A))
        Parameters.push_back(&A);
    for (Instruction &I : instructions(F))
      if (Values.contains(&I))
        Parameters.push_back(&I);
  }

  bool fitsRegisters() const {
    unsigned Words = 0, Floats = 0;
    for (Value *V : Parameters) {
      Type *T = V->getType();
      if (T->isPointerTy() || (T->isIntegerTy() && T->getIntegerBitWidth() <= 64))
        ++Words;
      else if (T->isFloatTy() || T->isDoubleTy())
        ++Floats;
      else
        return false;
    }
    return Words <= WordRegisters && Floats <= FloatRegisters;
  }

  Function *makeRest() {
    SmallVector<Type *> Types;
    for (Value *V : Parameters)
      Types.push_back(V->getType());
    auto *Rest = Function::Create(FunctionType::get(F.getReturnType(), Types, false),
                                  GlobalValue::InternalLinkage, F.getName() + ".rest");
    F.getParent()->getFunctionList().insertAfter(F.getIterator(), Rest);
    ValueToValueMapTy Map;
    for (Argument &A : F.args())
      Map[&A] = PoisonValue::get(A.getType());
    for (auto [V, A] : zip(Parameters, Rest->args()))
      if (isa<Argument>(V))
        Map[V] = &A;
    SmallVector<ReturnInst *, 4> Returns;
    CloneFunctionInto(Rest, &F, Map, CloneFunctionChangeType::LocalChangesOnly, Returns);
    for (auto [V, A] : zip(Parameters, Rest->args()))
      if (!isa<Argument>(V))
        cast<Instruction>(Map[V])->replaceAllUsesWith(&A);
    BasicBlock *Entry = BasicBlock::Create(F.getContext(), "begin", Rest, &Rest->front());
    IRBuilder<>(Entry).CreateBr(cast<BasicBlock>(Map[Begin]));
    EliminateUnreachableBlocks(*Rest);
    for (auto [V, A] : zip(Parameters, Rest->args()))
      A.setName(V->getName());
    for (BasicBlock &BB : *Rest)
      for (Instruction &I : BB)
        I.dropDbgRecords(); // of variables, whose values may not be here
    Rest->setVisibility(GlobalValue::DefaultVisibility);
    Rest->setDSOLocal(true);
    Rest->setComdat(nullptr);
    dropFalsePromises(*Rest);
    return Rest;
  }

  void dropFalsePromises(Function &Rest) const {
    for (Attribute::AttrKind K : {Attribute::AlwaysInline, Attribute::InlineHint,
                                  Attribute::AllocKind, Attribute::AllocSize})
      Rest.removeFnAttr(K);
    Rest.addFnAttr(Attribute::NoInline);
    // What is computed from one of F's pointers may point to the same.
    bool Derived = any_of(Parameters, [](Value *V) {
      return !isa<Argument>(V) && V->getType()->isPointerTy();
    });
    for (Argument &A : Rest.args()) {
      A.removeAttr(Attribute::AllocatedPointer);
      if (Derived)
        A.removeAttr(Attribute::NoAlias);
    }
  }

  void callRest(Function &Rest) {
    DebugLoc Place = Begin->getFirstNonPHIOrDbg()->getDebugLoc();
    if (DISubprogram *SP = F.getSubprogram(); SP && !Place)
      Place = DILocation::get(F.getContext(), 0, 0, SP);
    Last->getTerminator()->eraseFromParent();
    IRBuilder<> B(Last);
    B.SetCurrentDebugLocation(Place);
    CallInst *Call = B.CreateCall(&Rest, Parameters);
    Call->setTailCallKind(CallInst::TCK_Tail);
    Call->setCallingConv(Rest.getCallingConv());
    Call->setAttributes(Rest.getAttributes().removeFnAttributes(F.getContext()));
    if (F.getReturnType()->isVoidTy())
      B.CreateRetVoid();
    else
      B.CreateRet(Call);
    EliminateUnreachableBlocks(F);
  }

  Function &F;
  const Reach &Reached;
  DominatorTree &DT;
  LoopInfo &LI;
  BlockFrequencyInfo &BFI;
  BasicBlock *Last = nullptr;        // of the early part
  BasicBlock *Begin = nullptr;       // of the rest
  SmallSetVector<BasicBlock *, 16> Blocks; // of the rest; some are the early part's, too
  SmallVector<Value *> Parameters;   // of the rest
};

} // namespace

void cutEarlyReturns(Module &M, ModuleAnalysisManager &MAM) {
  auto &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  Reach Reached(M);
  for (Function *F : Reached.functions(M)) {
    EarlyReturns(*F, FAM, Reached).cut();
    FAM.invalidate(*F, PreservedAnalyses::none());
  }
}

} // namespace migrated
