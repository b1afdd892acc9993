// Resume functions: a clone of a function that takes its live values from a record and goes
// on behind one of its sites.
#include "abi.h"
#include "frame.h"

#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/SSAUpdater.h"

using namespace llvm;

namespace migrated {

namespace {

class ResumeBuilder {
public:
  explicit ResumeBuilder(Frame &Fr) : Fr(Fr), F(Fr.F), M(*F.getParent()) {}

  Function *build() {
    declare();
    cloneBody();
    storeResults();
    findReachable();
    loadDominating();
    armSetjmps();
    dispatch();
    dropUnreachable();
    for (auto &[V, Defs] : Redefined)
      rewriteUses(V, Defs);
    dropVariableLocations();
    return R;
  }

private:
  // New definitions of a value: at the ends of these blocks.
  using Definitions = SmallVector<std::pair<BasicBlock *, Value *>, 4>;

  void declare() {
    LLVMContext &C = M.getContext();
    auto *T = FunctionType::get(Type::getVoidTy(C),
                                {PointerType::getUnqual(C), Type::getInt32Ty(C)}, false);
    R = Function::Create(T, GlobalValue::InternalLinkage, F.getName() + ".resume", M);
    R->getArg(0)->setName("record");
    R->getArg(1)->setName("site");
    Entry = BasicBlock::Create(C, "resume", R);
  }

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
        StoredType::of(V->getType())->store(B, V, abi::result(M), 0);
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
      define(S.Call, Jumped, Again);
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
          define(V, BB, Fr.Record.load(B, V, R->getArg(0)));
      if (!Call->use_empty())
        define(Call, BB, StoredType::of(Call->getType())
                             ->load(B, Call->getType(), abi::result(M), 0, Call->getName()));
      B.CreateBr(mapped(Continuation));
      Switch->addCase(B.getInt32(Number), BB);
    };
    for (Site &S : Fr.Sites)
      Restore(S.Number, S.Call, S.Call->getNormalDest(), S.Live);
    // All that lives behind a setjmp is in the entry.
    for (SetjmpSite &S : Fr.Setjmps)
      Restore(S.Number, S.Call, S.Continuation, {});
  }

  void define(Value *V, BasicBlock *At, Value *New) { Redefined[V].push_back({At, New}); }

  // Values whose definition goes get a stand-in first, so that their uses remain.
  void dropUnreachable() {
    for (auto &[V, Defs] : Redefined) {
      auto *Clone = cast<Instruction>(Map[V]);
      if (Reachable.contains(Clone->getParent())) {
        Defs.push_back({Clone->getParent(), Clone});
        continue;
      }
      auto *StandIn = new FreezeInst(PoisonValue::get(Clone->getType()), "", Entry->begin());
      Clone->replaceAllUsesWith(StandIn);
      Map[V] = StandIn;
    }
    EliminateUnreachableBlocks(*R, nullptr, /*KeepOneInputPHIs=*/true);
  }

  void rewriteUses(Value *V, const Definitions &Defs) {
    auto *Old = cast<Instruction>(Map[V]);
    SSAUpdater Updater;
    Updater.Initialize(Old->getType(), V->getName());
    for (auto [BB, New] : Defs)
      Updater.AddAvailableValue(BB, New);
    bool StandIn = Old->getParent() == Entry;
    for (Use &U : make_early_inc_range(Old->uses())) {
      auto *User = cast<Instruction>(U.getUser());
      if (!StandIn && User->getParent() == Old->getParent() && !isa<PHINode>(User))
        continue;
      Updater.RewriteUse(U);
    }
    if (StandIn)
      Old->eraseFromParent();
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
  MapVector<Value *, Definitions> Redefined;
};

} // namespace

Function *buildResume(Frame &Fr) { return ResumeBuilder(Fr).build(); }

} // namespace migrated
