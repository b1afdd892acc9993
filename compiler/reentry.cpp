// The way from a resume clone back into the function itself.
//
// An interpreter runs in one call of its function for as long as the program does. So its clone
// only leads back to the dispatch: where it comes to the head of that loop it puts what lives
// there into a buffer, and calls the function, which takes the values and goes on at the head.
//
// The function's loops keep their one entry: from its own entry the way leads through the heads
// of all loops around the dispatch, outermost first, by a flag that is tested there once for each
// of their iterations.
#include "abi.h"
#include "frame.h"
#include "liveness.h"
#include "redefine.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/SSAUpdater.h"

using namespace llvm;

namespace migrated {

// The block with the largest switch.
static BasicBlock *dispatchOf(Function &F) {
  BasicBlock *Dispatch = nullptr;
  unsigned Cases = 0;
  for (BasicBlock &BB : F)
    if (auto *Switch = dyn_cast_or_null<SwitchInst>(BB.getTerminator())) // pads have none yet
      if (Switch->getNumCases() > Cases) {
        Dispatch = &BB;
        Cases = Switch->getNumCases();
      }
  return Dispatch;
}

void findReentry(Frame &Fr) {
  BasicBlock *Dispatch = dispatchOf(Fr.F);
  DominatorTree DT(Fr.F);
  LoopInfo LI(DT);
  Loop *L = Dispatch ? LI.getLoopFor(Dispatch) : nullptr;
  if (!L || !Fr.Setjmps.empty())
    return;
  for (; L; L = L->getParentLoop())
    Fr.Heads.push_back(L->getHeader());
  // Each head keeps its PHIs; what follows them is a block of its own.
  for (BasicBlock *Head : Fr.Heads)
    SplitBlock(Head, Head->getFirstNonPHI());
}

// What follows the PHIs of a head.
static BasicBlock *behind(BasicBlock *Head) { return Head->getTerminator()->getSuccessor(0); }

void findLiveAtReentry(Frame &Fr, const Liveness &Live) {
  if (Fr.Heads.empty())
    return;
  Fr.LiveAtReentry = Live.liveInto(*behind(Fr.Heads.front()));
  if (!all_of(Fr.LiveAtReentry, [](Value *V) { return StoredType::of(V->getType()); }))
    Fr.Heads.clear();
}

void layOutReentry(Frame &Fr) {
  Fr.Reentry.assign({Fr.LiveAtReentry}, nullptr);
  Module &M = *Fr.F.getParent();
  auto *T = ArrayType::get(Type::getInt8Ty(M.getContext()), Fr.Reentry.size());
  Fr.ReentryBuffer = new GlobalVariable(M, T, false, GlobalValue::InternalLinkage,
                                        ConstantAggregateZero::get(T), Fr.F.getName() + ".reentry");
  Fr.ReentryBuffer->setAlignment(Align(16)); // as records are
}

void handOver(Frame &Fr, BasicBlock &Head, function_ref<Value *(Value *)> InClone) {
  Function &Clone = *Head.getParent();
  Head.getTerminator()->eraseFromParent();
  IRBuilder<> B(&Head);
  if (DISubprogram *SP = Clone.getSubprogram())
    B.SetCurrentDebugLocation(DILocation::get(Clone.getContext(), 0, 0, SP));
  for (Value *V : Fr.LiveAtReentry)
    StoredType::of(V->getType())->store(B, InClone(V), Fr.ReentryBuffer, Fr.Reentry.offset(V));
  B.CreateAlignedStore(B.getInt32(1), abi::resumeSite(*Clone.getParent()), Align(4));
  CallInst *Call = callToResume(B, Fr.F);
  if (!Call->getType()->isVoidTy())
    storeResult(B, Call);
  B.CreateRetVoid();
}

namespace {

class Reentry {
public:
  explicit Reentry(Frame &Fr) : Fr(Fr), F(Fr.F), C(F.getContext()) {}

  void build() {
    addEntry();
    Value *Flag = ConstantInt::getTrue(C);
    BasicBlock *From = Resume;
    for (BasicBlock *Head : reverse(ArrayRef(Fr.Heads).drop_front())) {
      lead(From, Flag, Head);
      Flag = PHINode::Create(Type::getInt1Ty(C), 2, "reenter", Head->begin());
      From = Head;
    }
    lead(From, Flag, Fr.Heads.front());
    for (auto [From, Head, Flag] : Way)
      complete(From, Flag, Head);
    for (auto [From, Head, Flag] : Way)
      takeLoaded(From, Head);
    Redefined.rewrite([&](Value *V) -> Redefinitions::First {
      auto *I = dyn_cast<Instruction>(V);
      return {V, I ? I->getParent() : Enter};
    });
    dropParameterPromises(F);
  }

private:
  void addEntry() {
    BasicBlock *Normal = &F.getEntryBlock();
    Enter = BasicBlock::Create(C, "enter", &F, Normal);
    Resume = BasicBlock::Create(C, "reenter", &F);
    GlobalVariable *Site = abi::resumeSite(*F.getParent());
    IRBuilder<> B(Enter);
    Value *Number = B.CreateAlignedLoad(B.getInt32Ty(), Site, Align(4), "resume.site");
    B.CreateCondBr(B.CreateIsNotNull(Number), Resume, Normal,
                   MDBuilder(C).createUnlikelyBranchWeights());
    B.SetInsertPoint(Resume);
    B.CreateAlignedStore(B.getInt32(0), Site, Align(4));
    for (Value *V : Fr.LiveAtReentry)
      Loaded[V] = Fr.Reentry.load(B, V, Fr.ReentryBuffer);
    for (Value *V : Fr.LiveAtReentry)
      if (!isOfHead(V))
        Redefined.add(V, Resume, Loaded[V]);
  }

  // Heads' PHIs take what is loaded as one more incoming value.
  bool isOfHead(Value *V) const {
    auto *Phi = dyn_cast<PHINode>(V);
    return Phi && is_contained(Fr.Heads, Phi->getParent());
  }

  // Makes the edge From -> Head, which is taken if Flag is true.
  void lead(BasicBlock *From, Value *Flag, BasicBlock *Head) {
    if (From == Resume) {
      BranchInst::Create(Head, From);
    } else {
      Instruction *Old = From->getTerminator();
      BranchInst *New = BranchInst::Create(Head, Old->getSuccessor(0), Flag, Old->getIterator());
      New->setDebugLoc(Old->getDebugLoc());
      New->setMetadata(LLVMContext::MD_prof, MDBuilder(C).createUnlikelyBranchWeights());
      Old->eraseFromParent();
    }
    Way.push_back({From, Head, Flag});
  }

  // Gives each PHI of Head an incoming value for the edge from From.
  void complete(BasicBlock *From, Value *Flag, BasicBlock *Head) {
    for (PHINode &Phi : Head->phis())
      if (Phi.getNumIncomingValues() == 0) // the flag
        for (BasicBlock *Pred : predecessors(Head))
          Phi.addIncoming(Pred == From ? Flag : ConstantInt::getFalse(C), Pred);
      else
        Phi.addIncoming(PoisonValue::get(Phi.getType()), From);
  }

  // Now that all PHIs are whole, of which the updater makes use.
  void takeLoaded(BasicBlock *From, BasicBlock *Head) {
    for (PHINode &Phi : make_early_inc_range(Head->phis()))
      if (Value *Load = Loaded.lookup(&Phi))
        Phi.setIncomingValueForBlock(From, atEndOf(From, Load));
  }

  Value *atEndOf(BasicBlock *From, Value *Load) {
    SSAUpdater Updater;
    Updater.Initialize(Load->getType(), Load->getName());
    Updater.AddAvailableValue(Resume, Load);
    return Updater.GetValueAtEndOfBlock(From);
  }

  Frame &Fr;
  Function &F;
  LLVMContext &C;
  BasicBlock *Enter = nullptr, *Resume = nullptr;
  DenseMap<Value *, Value *> Loaded;
  SmallVector<std::tuple<BasicBlock *, BasicBlock *, Value *>> Way; // see lead; outermost first
  Redefinitions Redefined;
};

} // namespace

void reenter(Frame &Fr) { Reentry(Fr).build(); }

} // namespace migrated
