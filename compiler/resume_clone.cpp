// Resume functions of hot functions: a clone that takes the live values from a record and goes
// on behind one of the sites. The function itself stays as it is.
#include "abi.h"
#include "frame.h"
#include "redefine.h"

#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace migrated {

namespace {

class ResumeClone {
public:
  explicit ResumeClone(Frame &Fr) : Fr(Fr), F(Fr.F), M(*F.getParent()) {}

  Function *build() {
    R = declareResume(F);
    Entry = BasicBlock::Create(M.getContext(), "resume", R);
    cloneBody();
    storeResults();
    if (!Fr.Heads.empty())
      handOver(Fr, *mapped(Fr.Heads.front()), [&](Value *V) { return &*Map[V]; });
    findReachable();
    loadDominating();
    armSetjmps();
    dispatch();
    dropUnreachable();
    Redefined.rewrite([&](Value *V) -> Redefinitions::First {
      auto *Clone = cast<Instruction>(Map[V]);
      return {Clone, StandIns.contains(Clone) ? nullptr : Clone->getParent()};
    });
    for (Instruction *I : StandIns)
      I->eraseFromParent();
    dropVariableLocations();
    return R;
  }

private:
  void cloneBody() {
    IRBuilder<> B(Entry);
    for (Argument &A : F.args())
      Map[&A] = Fr.Record.contains(&A) ? Fr.Record.load(B, &A, R->getArg(0))
                                       : PoisonValue::get(A.getType());
    CloneFunctionInto(R, &F, Map, CloneFunctionChangeType::LocalChangesOnly, Returns);
    // It is called through the site table, with the C convention, and seldom.
    R->setAttributes(
        AttributeList::get(M.getContext(), AttributeList::FunctionIndex,
                           AttrBuilder(M.getContext(), F.getAttributes().getFnAttrs())));
    for (Attribute::AttrKind K : {Attribute::NoReturn, Attribute::AlwaysInline,
                                  Attribute::InlineHint, Attribute::AllocKind, Attribute::AllocSize})
      R->removeFnAttr(K);
    R->addFnAttr(Attribute::NoInline);
    R->setCallingConv(CallingConv::C);
    R->setLinkage(GlobalValue::InternalLinkage);
    R->setVisibility(GlobalValue::DefaultVisibility);
    R->setComdat(nullptr);
    R->setSection((".text.resume." + F.getName()).str());
  }

  void storeResults() {
    for (ReturnInst *Ret : Returns) {
      IRBuilder<> B(Ret);
      if (Value *V = Ret->getReturnValue(); V && !isa<UndefValue>(V))
        storeResult(B, V);
      B.CreateRetVoid();
      Ret->eraseFromParent();
    }
  }

  BasicBlock *mapped(BasicBlock *BB) { return cast<BasicBlock>(Map[BB]); }

  void findReachable() {
    df_iterator_default_set<BasicBlock *> Seen;
    auto From = [&](BasicBlock *BB) {
      for (BasicBlock *Reached : depth_first_ext(BB, Seen))
        (void)Reached;
    };
    for (Site &S : Fr.Sites)
      From(mapped(S.Call->getNormalDest()));
    for (SetjmpSite &S : Fr.Setjmps)
      From(mapped(S.Continuation));
    Reachable.insert(Seen.begin(), Seen.end());
  }

  // What the call of a site returns is defined by the way back, too. Its original definition
  // may be out of reach.
  bool isSiteResult(const Value *V) const {
    return any_of(Fr.Sites, [&](const Site &S) { return S.Call == V; }) ||
           any_of(Fr.Setjmps, [&](const SetjmpSite &S) { return S.Call == V; });
  }

  // A value that is defined before any continuation has one definition here, in the entry.
  // Nothing of the resumed code need merge it with another.
  void loadDominating() {
    IRBuilder<> B(Entry);
    for (Value *V : Fr.Record.values()) {
      auto *I = dyn_cast<Instruction>(V);
      if (!I || isSiteResult(I))
        continue;
      auto *Clone = cast<Instruction>(Map[I]);
      if (Reachable.contains(Clone->getParent()))
        continue;
      Value *Load = Fr.Record.load(B, I, R->getArg(0));
      Clone->replaceAllUsesWith(Load);
      Map[I] = Load;
      InEntry.insert(V);
    }
    for (Argument &A : F.args())
      InEntry.insert(&A);
  }

  // The clone's value of V, an address computed from values in the entry.
  Value *rebuild(Value *V, IRBuilder<> &B) {
    if (isa<Constant>(V))
      return V;
    if (InEntry.contains(V))
      return Map[V];
    auto *I = cast<Instruction>(V)->clone();
    for (Use &Op : I->operands())
      Op.set(rebuild(Op, B));
    return B.Insert(I);
  }

  // So that a longjmp from below finds the frame on this machine stack.
  void armSetjmps() {
    Tail = Entry;
    for (SetjmpSite &S : Fr.Setjmps) {
      IRBuilder<> B(Tail);
      Value *Slot = rebuild(S.slot(), B);
      CallInst *Again = B.CreateCall(abi::setjmp(M), {Slot, rebuild(S.frame(), B),
                                                      B.getInt32(S.Number), Slot});
      Again->addFnAttr(Attribute::ReturnsTwice);
      BasicBlock *Jumped = BasicBlock::Create(M.getContext(), "jumped", R);
      BasicBlock *Armed = BasicBlock::Create(M.getContext(), "armed", R);
      B.CreateCondBr(B.CreateIsNotNull(Again), Jumped, Armed);
      IRBuilder<>(Jumped).CreateBr(mapped(S.Continuation));
      Redefined.add(S.Call, Jumped, Again);
      Tail = Armed;
    }
  }

  void dispatch() {
    LLVMContext &C = M.getContext();
    BasicBlock *Wrong = BasicBlock::Create(C, "nosite", R);
    IRBuilder<>(Wrong).CreateUnreachable();
    unsigned N = Fr.Sites.size() + Fr.Setjmps.size();
    SwitchInst *Switch = IRBuilder<>(Tail).CreateSwitch(R->getArg(1), Wrong, N);
    auto Restore = [&](unsigned Number, Instruction *Call, BasicBlock *Continuation,
                       ArrayRef<Value *> Live) {
      BasicBlock *BB = BasicBlock::Create(C, "restore", R);
      IRBuilder<> B(BB);
      for (Value *V : Live)
        if (!InEntry.contains(V))
          Redefined.add(V, BB, Fr.Record.load(B, V, R->getArg(0)));
      if (!Call->use_empty())
        Redefined.add(Call, BB, loadResult(B, *Call));
      B.CreateBr(mapped(Continuation));
      Switch->addCase(B.getInt32(Number), BB);
    };
    for (Site &S : Fr.Sites)
      Restore(S.Number, S.Call, S.Call->getNormalDest(), S.Live);
    // All that lives behind a setjmp is in the entry.
    for (SetjmpSite &S : Fr.Setjmps)
      Restore(S.Number, S.Call, S.Continuation, {});
  }

  // Values whose definition goes get a stand-in first, so that their uses remain.
  void dropUnreachable() {
    Redefined.forEach([&](Value *V) {
      auto *Clone = cast<Instruction>(Map[V]);
      if (Reachable.contains(Clone->getParent()))
        return;
      auto *StandIn = new FreezeInst(PoisonValue::get(Clone->getType()), "", Entry->begin());
      Clone->replaceAllUsesWith(StandIn);
      Map[V] = StandIn;
      StandIns.insert(StandIn);
    });
    EliminateUnreachableBlocks(*R, nullptr, /*KeepOneInputPHIs=*/true);
  }

  // They would name values that no longer dominate them.
  void dropVariableLocations() {
    for (BasicBlock &BB : *R)
      for (Instruction &I : make_early_inc_range(BB)) {
        I.dropDbgRecords();
        if (isa<DbgVariableIntrinsic>(I))
          I.eraseFromParent();
      }
  }

  Frame &Fr;
  Function &F;
  Module &M;
  Function *R = nullptr;
  BasicBlock *Entry = nullptr;
  BasicBlock *Tail = nullptr; // of the blocks before the switch
  ValueToValueMapTy Map;
  SmallVector<ReturnInst *, 4> Returns;
  DenseSet<BasicBlock *> Reachable; // from the continuations
  DenseSet<const Value *> InEntry;  // of F; Map has the entry's values
  Redefinitions Redefined;
  SmallPtrSet<Instruction *, 8> StandIns;
};

} // namespace

Function *cloneToResume(Frame &Fr) { return ResumeClone(Fr).build(); }

} // namespace migrated
