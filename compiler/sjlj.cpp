// setjmp and longjmp. While nothing has moved they are native. For afterwards, a function that
// can be left keeps in its shadow stack frame all that the code behind its setjmps uses, as it was
// when they were called: the frame can be entered there with no other state than its records
// begin with.
#include "abi.h"
#include "core.h"
#include "diag.h"
#include "frame.h"
#include "liveness.h"
#include "reach.h"
#include "redefine.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace migrated {

namespace {

// In a POSIX libc. The second argument of sigsetjmp, if there is one, is about signal masks.
constexpr const char *SetjmpNames[] = {"setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp"};
constexpr const char *LongjmpNames[] = {"longjmp", "_longjmp", "siglongjmp"};

// The calls of the program's setjmp, as calls of the runtime's that know no frame.
SmallVector<CallInst *> replaceSetjmps(Module &M, Diagnostics &Diag) {
  SmallVector<CallInst *> Calls;
  LLVMContext &C = M.getContext();
  auto *Zero64 = ConstantInt::get(Type::getInt64Ty(C), 0);
  auto *Zero32 = ConstantInt::get(Type::getInt32Ty(C), 0);
  auto *Null = ConstantPointerNull::get(PointerType::getUnqual(C));
  for (const char *Name : SetjmpNames) {
    Function *F = M.getFunction(Name);
    if (!F || !F->isDeclaration())
      continue;
    for (User *U : make_early_inc_range(F->users())) {
      auto *Old = dyn_cast<CallInst>(U);
      if (!Old || Old->getCalledOperand() != F) {
        if (auto *I = dyn_cast<Instruction>(U))
          Diag.error(*I, Twine("the address of ") + Name + " is taken; call it by its name");
        else
          Diag.error(Twine("the address of ") + Name + " is taken; call it by its name");
        continue;
      }
      IRBuilder<> B(Old);
      CallInst *New =
          B.CreateCall(abi::setjmp(M), {Old->getArgOperand(0), Zero64, Zero32, Null});
      New->addFnAttr(Attribute::ReturnsTwice);
      New->takeName(Old);
      Old->replaceAllUsesWith(New);
      Old->eraseFromParent();
      Calls.push_back(New);
    }
  }
  return Calls;
}

void replaceLongjmps(Module &M) {
  for (const char *Name : LongjmpNames)
    if (Function *F = M.getFunction(Name); F && F->isDeclaration())
      F->replaceAllUsesWith(abi::longjmp(M).getCallee());
}

// One function that can be left, and its calls of setjmp.
class SetjmpFunction {
public:
  SetjmpFunction(Function &F, const Reach &Reached, ArrayRef<CallInst *> Calls)
      : F(F), M(*F.getParent()), Reached(Reached), Calls(Calls) {}

  void lower() {
    findAtEntry();
    for (CallInst *Call : Calls)
      Continuations.push_back(blockBehind(*Call));
    keepInMemory();
    // Allocas from now on become parts of the shadow stack frame as they stand here.
    IRBuilder<> B(&*F.getEntryBlock().getFirstInsertionPt());
    B.SetCurrentDebugLocation(DebugLoc());
    Value *Count = abi::frameCount(M);
    Value *Id = B.CreateAdd(B.CreateAlignedLoad(B.getInt64Ty(), Count, Align(8)), B.getInt64(1),
                            "fid");
    B.CreateAlignedStore(Id, Count, Align(8));
    for (auto [Call, Continuation] : zip(Calls, Continuations)) {
      AllocaInst *Slot = B.CreateAlloca(
          ArrayType::get(B.getInt64Ty(), abi::JmpBufSize / 8), nullptr, "setjmp.slot");
      Slot->setAlignment(Align(abi::JmpBufAlign));
      Call->setArgOperand(1, Id);
      Call->setArgOperand(3, Slot);
      restoreShadowStack(B.CreateAlloca(B.getPtrTy(), nullptr, "setjmp.ssp"), *Call,
                         *Continuation);
    }
  }

private:
  // An empty block between a call and what follows it, for loads that all of it sees.
  static BasicBlock *blockBehind(CallInst &Call) {
    BasicBlock *Behind = SplitBlock(Call.getParent(), Call.getNextNode());
    SplitBlock(Behind, &Behind->front());
    return Behind;
  }

  // What is on the shadow stack above the frame when setjmp returns again is given up.
  void restoreShadowStack(AllocaInst *Saved, CallInst &Call, BasicBlock &Continuation) {
    Value *Top = abi::shadowTop(M);
    IRBuilder<> Before(&Call);
    Before.CreateAlignedStore(Before.CreateAlignedLoad(Before.getPtrTy(), Top, Align(8)), Saved,
                              Align(8));
    IRBuilder<> After(&*Continuation.getFirstInsertionPt());
    After.CreateAlignedStore(After.CreateAlignedLoad(After.getPtrTy(), Saved, Align(8)), Top,
                             Align(8));
  }

  // Stores what lives behind a setjmp before it, and loads it behind it: so nothing lives across
  // one, and elsewhere values are in registers, those of an interpreter that calls setjmp for
  // its try statements. Each value has one place: when it has changed since a setjmp,
  // and another one has been called, C leaves open which of both the first finds.
  void keepInMemory() {
    DenseMap<Value *, AllocaInst *> Places;
    Redefinitions Redefined;
    IRBuilder<> Entry(&*F.getEntryBlock().getFirstInsertionPt());
    Entry.SetCurrentDebugLocation(DebugLoc());
    SmallVector<SmallVector<Value *>> Behind = liveBehind();
    for (auto [Call, Continuation, Vs] : zip(Calls, Continuations, Behind)) {
      IRBuilder<> Before(Call), After(&*Continuation->getFirstInsertionPt());
      for (Value *V : Vs) {
        AllocaInst *&Place = Places[V];
        if (!Place)
          Place = Entry.CreateAlloca(V->getType(), nullptr, V->getName() + ".kept");
        Before.CreateStore(V, Place);
        Redefined.add(V, Continuation, After.CreateLoad(V->getType(), Place, V->getName()));
      }
    }
    Redefined.rewrite([&](Value *V) -> Redefinitions::First {
      return {V, cast<Instruction>(V)->getParent()};
    });
  }

  // What lives behind each call, once all that is cheap is computed where it is used.
  SmallVector<SmallVector<Value *>> liveBehind() {
    SmallVector<SmallVector<Value *>> Behind;
    DenseSet<const Value *> All;
    do {
      Liveness Live(F);
      Behind.clear();
      All.clear();
      for (auto [Call, Continuation] : zip(Calls, Continuations)) {
        SmallVector<Value *> &Vs = Behind.emplace_back();
        for (Value *V : Live.liveInto(*Continuation))
          if (V != Call && !isOfEntry(V))
            Vs.push_back(V);
        All.insert(Vs.begin(), Vs.end());
      }
    } while (rematerialise(F, All));
    return Behind;
  }

  // True for what has one value as long as the frame lives, from before it can be left for the
  // first time. All of the function's records have it (frames.cpp).
  bool isOfEntry(Value *V) const {
    auto *I = dyn_cast<Instruction>(V);
    return !I || AtEntry.contains(I);
  }

  void findAtEntry() {
    for (Instruction &I : F.getEntryBlock()) {
      if (auto *CB = dyn_cast<CallBase>(&I); CB && (Reached.isSite(*CB) || is_contained(Calls, CB)))
        return;
      auto *A = dyn_cast<AllocaInst>(&I);
      if (A ? A->isStaticAlloca() : StoredType::of(I.getType()).has_value())
        AtEntry.insert(&I);
    }
  }

  Function &F;
  Module &M;
  const Reach &Reached;
  ArrayRef<CallInst *> Calls;
  DenseSet<const Instruction *> AtEntry; // see isOfEntry
  SmallVector<BasicBlock *> Continuations;
};

} // namespace

void lowerSetjmp(Module &M) {
  Diagnostics Diag(M);
  replaceLongjmps(M);
  MapVector<Function *, SmallVector<CallInst *>> Calls;
  for (CallInst *Call : replaceSetjmps(M, Diag))
    Calls[Call->getFunction()].push_back(Call);
  Diag.exitOnError();
  Reach Reached(M);
  for (auto &[F, Cs] : Calls)
    if (Reached.isReached(*F))
      SetjmpFunction(*F, Reached, Cs).lower();
}

} // namespace migrated
