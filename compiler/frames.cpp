// Makes the frames of reached functions portable: each call that may leave becomes an invoke
// with a save pad, each function gets a resume function, each site a number.
#include "abi.h"
#include "attributes.h"
#include "clones.h"
#include "core.h"
#include "diag.h"
#include "frame.h"
#include "liveness.h"
#include "poll.h"
#include "reach.h"
#include "sites.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace migrated {

namespace {

// True if the caller does nothing behind Call but return what Call returned. Such a frame
// needs no record: the driver hands the result on to the frame above it.
bool onlyReturns(const CallInst &Call) {
  const Instruction *Next = Call.getNextNonDebugInstruction();
  const BasicBlock *From = Call.getParent();
  if (auto *Br = dyn_cast<BranchInst>(Next); Br && Br->isUnconditional())
    Next = Br->getSuccessor(0)->getFirstNonPHIOrDbg();
  auto *Ret = dyn_cast<ReturnInst>(Next);
  if (!Ret)
    return false;
  const Value *V = Ret->getReturnValue();
  if (auto *Phi = dyn_cast_or_null<PHINode>(V); Phi && Phi->getParent() != From)
    if (Phi->getParent() == Ret->getParent())
      V = Phi->getIncomingValueForBlock(From);
  return !V || V == &Call || isa<UndefValue>(V);
}

bool neverReturns(const CallInst &Call) {
  return Call.doesNotReturn() || isa<UnreachableInst>(Call.getNextNonDebugInstruction());
}

} // namespace

bool leavesRecord(const CallInst &Call) { return !onlyReturns(Call) && !neverReturns(Call); }

namespace {

class FramesPass {
public:
  explicit FramesPass(Module &M) : M(M), Reached(M), Diag(M) {}

  void run() {
    SmallVector<Function *> Fs = Reached.functions(M);
    DenseSet<const Function *> Clones = chooseClones(M, Reached);
    for (Function *F : Fs)
      makePortable(*F, Clones.contains(F));
    Diag.exitOnError();
    Table.emit(M);
    Table.write();
  }

private:
  void makePortable(Function &F, bool Clone) {
    EliminateUnreachableBlocks(F);
    dropFalseAttributes(F);
    F.setUWTableKind(UWTableKind::Default);
    F.setPersonalityFn(abi::personality(M));
    Frame Fr{F, {}, {}, {}, {}, {}, {}};
    collect(Fr);
    if (Fr.Sites.empty())
      return;
    defineUndefined(F);
    bool Cloned = Clone || !Fr.Setjmps.empty();
    if (Cloned && F.hasFnAttribute(InterpreterAttr))
      findReentry(Fr);
    findLive(Fr);
    if (!checkTypes(Fr))
      return;
    layOut(Fr);
    buildSavePads(Fr);
    Function *Resume = Cloned ? cloneToResume(Fr) : resumeInPlace(Fr);
    if (!Fr.Heads.empty())
      reenter(Fr);
    for (Site &S : Fr.Sites)
      Table.setResume(S.Number, Resume);
    for (SetjmpSite &S : Fr.Setjmps)
      Table.setResume(S.Number, Resume);
  }

  void collect(Frame &Fr) {
    SmallVector<CallInst *> Calls, Setjmps;
    for (Instruction &I : instructions(Fr.F))
      if (auto *CI = dyn_cast<CallInst>(&I)) {
        if (Function *Callee = calledFunction(*CI); Callee && Callee->getName() == abi::SetjmpName)
          Setjmps.push_back(CI);
        else if (Reached.isSite(*CI))
          Calls.push_back(CI);
      }
    for (CallInst *CI : Calls) {
      dropFalseAttributes(*CI);
      // A longjmp can come back to any frame that has called setjmp.
      if (Setjmps.empty() && !leavesRecord(*CI))
        continue;
      CI->setTailCallKind(CallInst::TCK_None);
      BasicBlock *Pad = BasicBlock::Create(M.getContext(), "pad", &Fr.F);
      BasicBlock *BB = CI->getParent();
      unsigned Number = Table.add(*CI);
      changeToInvokeAndSplitBasicBlock(CI, Pad);
      Fr.Sites.push_back({Number, cast<InvokeInst>(BB->getTerminator()), {}});
    }
    for (CallInst *CI : Setjmps) {
      BasicBlock *Continuation = SplitBlock(CI->getParent(), CI->getNextNode());
      unsigned Number = Table.add(*CI);
      CI->setArgOperand(2, ConstantInt::get(Type::getInt32Ty(M.getContext()), Number));
      Fr.Setjmps.push_back({Number, CI, Continuation});
    }
  }

  void findLive(Frame &Fr) {
    for (bool Again = true; Again;) {
      Liveness Live(Fr.F);
      SetVector<Value *> Everywhere = liveAtSetjmps(Fr, Live);
      DenseSet<const Value *> AtSites;
      for (Site &S : Fr.Sites) {
        SetVector<Value *> Vs = Everywhere;
        for (Value *V : Live.liveInto(*S.Call->getNormalDest()))
          if (V != S.Call)
            Vs.insert(V);
        S.Live = Vs.takeVector();
        AtSites.insert(S.Live.begin(), S.Live.end());
      }
      findLiveAtReentry(Fr, Live);
      AtSites.insert(Fr.LiveAtReentry.begin(), Fr.LiveAtReentry.end());
      Again = rematerialise(Fr.F, AtSites);
    }
  }

  // What the code behind setjmps needs, and the resume function for arming them: it has to be
  // in all records. The sjlj pass has left arguments, and what the entry block defines.
  SetVector<Value *> liveAtSetjmps(Frame &Fr, const Liveness &Live) {
    SetVector<Value *> Vs;
    for (SetjmpSite &S : Fr.Setjmps) {
      Vs.insert(S.frame());
      Vs.insert(S.slot()->stripInBoundsConstantOffsets());
      for (Value *V : Live.liveInto(*S.Continuation))
        if (V != S.Call)
          Vs.insert(V);
    }
    return Vs;
  }

  bool checkTypes(Frame &Fr) {
    bool Ok = true;
    auto Refuse = [&](Instruction &I, const Twine &What) {
      Diag.error(I, What + " cannot migrate here; keep it out of the functions that can reach a "
                           "migration point");
      Ok = false;
    };
    for (Site &S : Fr.Sites) {
      for (Value *V : S.Live)
        if (!StoredType::of(V->getType()))
          Refuse(*S.Call, "a value of type " + typeName(V->getType()));
      if (!fitsResult(S.Call->getType()))
        Refuse(*S.Call, "a result of type " + typeName(S.Call->getType()));
    }
    if (!fitsResult(Fr.F.getReturnType())) {
      Diag.error(Fr.F, "a result of type " + typeName(Fr.F.getReturnType()) +
                           " cannot migrate; return it through a pointer");
      Ok = false;
    }
    return Ok;
  }

  static bool fitsResult(Type *T) {
    if (T->isVoidTy())
      return true;
    std::optional<StoredType> S = StoredType::of(T);
    return S && S->Size <= abi::ResultSize;
  }

  static std::string typeName(Type *T) {
    std::string Name;
    raw_string_ostream(Name) << *T;
    return Name;
  }

  void layOut(Frame &Fr) {
    SmallVector<RecordLayout::ValueSet> Sets;
    for (Site &S : Fr.Sites)
      Sets.push_back(S.Live);
    Fr.Record.assign(Sets, Fr.Setjmps.empty() ? nullptr : Fr.Setjmps.front().frame());
    for (Site &S : Fr.Sites)
      Table.describe(S.Number, Fr.Record.size(), Fr.Record.describe(S.Live));
    if (!Fr.Heads.empty())
      layOutReentry(Fr);
  }

  Module &M;
  Reach Reached;
  Diagnostics Diag;
  SiteTable Table;
};

} // namespace

void makeFramesPortable(Module &M) { FramesPass(M).run(); }

} // namespace migrated
