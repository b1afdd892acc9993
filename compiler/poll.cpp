// Places migration points so that a thread is never far from one, at almost no cost:
// - a loop that contains other loops or calls polls each time round;
// - an innermost loop without calls is strip-mined, and polls between strips;
// - where its trip count is not known on entry, it polls each time round;
// - an interpreter's loop polls as a part of its dispatch;
// - a function that recursion must pass polls before it calls itself or others that do, in a loop
//   around these calls if there is one, or else on entry. Where the recursion takes room on the
//   shadow stack, it goes the slow way if there is no more, which ends the program;
// - where a function calls itself, it polls behind the call, too.
// In libc and kernel only loops that may call the program's functions poll: the rest is short.
#include "poll.h"

#include "abi.h"
#include "callwalk.h"
#include "check.h"
#include "core.h"
#include "reach.h"
#include "stripmine.h"

#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/CFG.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include "llvm/Transforms/Utils/LoopUtils.h"

using namespace llvm;

namespace migrated {

// A call in a function with debug information needs a place, if not a line.
static DebugLoc placeOf(const Instruction &I) {
  if (DebugLoc Loc = I.getDebugLoc())
    return Loc;
  DISubprogram *SP = I.getFunction()->getSubprogram();
  return SP ? DebugLoc(DILocation::get(I.getContext(), 0, 0, SP)) : DebugLoc();
}

static cl::opt<bool> MeasureGaps("migrated-poll-gap", cl::Hidden,
                                 cl::desc("Have polls measure the time since the last one"));

static Value *isPending(IRBuilder<> &B) {
  if (MeasureGaps)
    B.CreateCall(abi::pollGap(*B.GetInsertBlock()->getModule()));
  Value *Address = B.CreateIntToPtr(B.getInt64(abi::PendingAddress), B.getPtrTy());
  return B.CreateIsNotNull(
      B.CreateAlignedLoad(B.getInt32Ty(), Address, Align(4), /*isVolatile=*/true, "pending"));
}

static Value *isFull(IRBuilder<> &B) {
  Module &M = *B.GetInsertBlock()->getModule();
  auto Load = [&](GlobalVariable *G) { return B.CreateAlignedLoad(B.getPtrTy(), G, Align(8)); };
  Value *Top = Load(abi::shadowTop(M)), *Limit = Load(abi::shadowLimit(M));
  return B.CreateICmpULT(Top, Limit, "full");
}

static void callSlowPath(IRBuilder<> &B) {
  CallInst *Call = B.CreateCall(abi::pollSlow(*B.GetInsertBlock()->getModule()));
  Call->addFnAttr(Attribute::Cold);
  Call->addFnAttr(Attribute::NoInline);
}

void insertPoll(Instruction *I, bool OfStack) {
  DebugLoc Place = placeOf(*I);
  IRBuilder<> B(I);
  B.SetCurrentDebugLocation(Place);
  Value *Wanted = isPending(B);
  if (OfStack)
    Wanted = B.CreateOr(Wanted, isFull(B));
  Instruction *Slow = SplitBlockAndInsertIfThen(
      Wanted, I, /*Unreachable=*/false,
      MDBuilder(I->getContext()).createUnlikelyBranchWeights());
  B.SetInsertPoint(Slow);
  B.SetCurrentDebugLocation(Place);
  callSlowPath(B);
}

// The case behind the largest one; null if there is none.
static ConstantInt *nextCase(const SwitchInst &Switch) {
  APInt Most = Switch.case_begin()->getCaseValue()->getValue();
  for (auto &Case : Switch.cases())
    Most = APIntOps::umax(Most, Case.getCaseValue()->getValue());
  return Most.isMaxValue() ? nullptr : ConstantInt::get(Switch.getContext(), Most + 1);
}

// How much more often than the migration point each other case of a dispatch is taken.
constexpr uint32_t UsualWeight = 4096;

void insertPollInSwitch(SwitchInst *Switch) {
  BasicBlock *From = Switch->getParent();
  BasicBlock *Poll = BasicBlock::Create(From->getContext(), "poll", From->getParent());
  IRBuilder<> B(Switch);
  B.SetCurrentDebugLocation(placeOf(*Switch));
  Value *Wanted = Switch->getCondition();
  ConstantInt *PollCase = nextCase(*Switch);
  Value *Pending = isPending(B);
  // Where the program itself has this value, it passes here too, and does no harm.
  Switch->setCondition(B.CreateSelect(Pending, PollCase, Wanted));

  B.SetInsertPoint(Poll);
  B.SetCurrentDebugLocation(placeOf(*Switch));
  callSlowPath(B);
  auto *Again = cast<SwitchInst>(B.Insert(Switch->clone()));
  Again->setCondition(Wanted);
  Again->setMetadata(LLVMContext::MD_prof, nullptr);
  SmallPtrSet<BasicBlock *, 16> Seen;
  for (BasicBlock *To : successors(Switch))
    if (Seen.insert(To).second)
      for (PHINode &Phi : To->phis())
        for (unsigned I = 0, N = Phi.getNumIncomingValues(); I < N; ++I)
          if (Phi.getIncomingBlock(I) == From)
            Phi.addIncoming(Phi.getIncomingValue(I), Poll);
  Switch->addCase(PollCase, Poll);
  SmallVector<uint32_t> Weights(Switch->getNumSuccessors(), UsualWeight);
  Weights.back() = 1;
  Switch->setMetadata(LLVMContext::MD_prof,
                      MDBuilder(From->getContext()).createBranchWeights(Weights));
}

void insertPollOnEdge(BasicBlock *From, BasicBlock *To) {
  insertPoll(SplitEdge(From, To)->getTerminator());
}

namespace {

// A switch of at least this many cases becomes a jump table on both ISAs.
constexpr unsigned JumpTableCases = 8;

// A loop around one of this many is an interpreter, and not a parser of options or formats.
constexpr unsigned InterpreterCases = 32;

// How a loop polls.
enum class Polling { Never, BetweenStrips, EachIteration };

// Functions that are straight on and soon at their end, whatever is given to them: to a loop
// they are instructions like others.
class ShortFunctions {
public:
  explicit ShortFunctions(const CallWalk &Walk) {
    for (Function *F : Walk.calleesFirst())
      if (std::optional<uint64_t> W = functionWork(*F); W && *W <= Most)
        Work[F] = *W;
  }

  // Machine instructions of I, roughly and at most; nullopt if there is no bound.
  std::optional<uint64_t> instructionWork(const Instruction &I) const {
    if (isa<PHINode>(I) || isa<DbgInfoIntrinsic>(I))
      return 0;
    if (auto *Mem = dyn_cast<AnyMemIntrinsic>(&I)) {
      auto *Length = dyn_cast<ConstantInt>(Mem->getLength());
      if (!Length || Length->getValue().ugt(StripMine::stripWork()))
        return std::nullopt;
      return 10 + Length->getZExtValue() / 8;
    }
    if (auto *CB = dyn_cast<CallBase>(&I)) {
      if (isa<IntrinsicInst>(CB) || CB->isInlineAsm())
        return 4;
      auto Callee = Work.find(calledFunction(*CB));
      if (Callee == Work.end())
        return std::nullopt;
      return 10 + Callee->second;
    }
    switch (I.getOpcode()) {
    case Instruction::UDiv: case Instruction::SDiv: case Instruction::URem:
    case Instruction::SRem: case Instruction::FDiv: case Instruction::FRem:
      return 20;
    }
    return I.getType()->isFP128Ty() ? 100 : 1; // quadruple precision is done by calls
  }

private:
  static constexpr uint64_t Most = 1000;

  std::optional<uint64_t> functionWork(const Function &F) const {
    SmallVector<std::pair<const BasicBlock *, const BasicBlock *>> Backward;
    FindFunctionBackedges(F, Backward);
    if (!Backward.empty())
      return std::nullopt;
    uint64_t Sum = 0;
    for (const Instruction &I : instructions(F)) {
      std::optional<uint64_t> W = instructionWork(I);
      if (!W)
        return std::nullopt;
      Sum += *W;
    }
    return Sum;
  }

  DenseMap<const Function *, uint64_t> Work;
};

class LoopPolls {
public:
  // Recursion: calls in F, each of which has to be behind a migration point. TakesStack: it has
  // variables on the shadow stack.
  LoopPolls(Function &F, FunctionAnalysisManager &FAM, const ShortFunctions &Short,
            ArrayRef<CallBase *> Recursion, bool TakesStack)
      : F(F), Short(Short), Recursion(Recursion), TakesStack(TakesStack), DT(FAM.getResult<DominatorTreeAnalysis>(F)),
        LI(FAM.getResult<LoopAnalysis>(F)), SE(FAM.getResult<ScalarEvolutionAnalysis>(F)),
        AC(FAM.getResult<AssumptionAnalysis>(F)) {}

  void insert() {
    for (Loop *L : LI) {
      simplifyLoop(L, &DT, &LI, &SE, &AC, nullptr, /*PreserveLCSSA=*/false);
      formLCSSARecursively(*L, DT, &LI, &SE);
    }
    findRecursionPoint();
    for (Loop *L : LI.getLoopsInPreorder())
      decide(*L);
    // All trip counts first: the analyses do not know of the new blocks.
    for (StripMine &S : Strips)
      S.expandCount(SE);
    for (StripMine &S : Strips)
      insertPoll(S.transform());
    for (auto [Latch, Header] : Edges)
      insertPollOnEdge(Latch, Header);
    for (SwitchInst *Switch : Dispatches)
      insertPollInSwitch(Switch);
    if (any_of(Dispatches, [](SwitchInst *S) { return S->getNumCases() >= InterpreterCases; }))
      F.addFnAttr(InterpreterAttr);
    pollOnReturn();
    if (!Recursion.empty())
      insertPoll(PollsAtPoint ? RecursionPoint : &*F.getEntryBlock().getFirstNonPHIOrDbgOrAlloca(),
                 TakesStack);
  }

private:
  // However deep a function has called itself, its frames return with polls between them.
  void pollOnReturn() {
    for (CallBase *CB : Recursion)
      if (calledFunction(*CB) == &F && isa<CallInst>(CB) && !isa<ReturnInst>(CB->getNextNode()))
        insertPoll(CB->getNextNode());
  }

  // The last place that all recursion passes.
  void findRecursionPoint() {
    BasicBlock *Common = nullptr;
    for (CallBase *CB : Recursion)
      if (BasicBlock *BB = CB->getParent(); DT.isReachableFromEntry(BB))
        Common = Common ? DT.findNearestCommonDominator(Common, BB) : BB;
    if (!Common)
      return;
    // As early in the block as can be: what it computes need not live there.
    RecursionPoint = &*Common->getFirstNonPHIOrDbgOrAlloca();
    PollsAtPoint = !LI.getLoopFor(Common);
  }

  // True if each iteration of L passes the recursion point, once.
  bool isAroundRecursionPoint(Loop &L, ArrayRef<BasicBlock *> Latches) {
    return RecursionPoint && LI.getLoopFor(RecursionPoint->getParent()) == &L &&
           all_of(Latches, [&](BasicBlock *Latch) {
             return DT.dominates(RecursionPoint->getParent(), Latch);
           });
  }

  void decide(Loop &L) {
    Polling P = F.hasFnAttribute(SystemAttr)
                    ? (mayCallProgram(L) ? Polling::EachIteration : Polling::Never)
                    : polling(L);
    if (P == Polling::BetweenStrips)
      Strips.push_back(StripMine(L, Work.lookup(&L)));
    if (P == Polling::EachIteration) {
      if (SwitchInst *Switch = dispatchOf(L)) {
        Dispatches.push_back(Switch);
        return;
      }
      SmallVector<BasicBlock *> Latches;
      L.getLoopLatches(Latches);
      if (isAroundRecursionPoint(L, Latches)) {
        PollsAtPoint = true;
        return;
      }
      for (BasicBlock *Latch : Latches)
        Edges.push_back({Latch, L.getHeader()});
    }
  }

  // The switch that each iteration of L passes, if there is one.
  SwitchInst *dispatchOf(Loop &L) {
    SmallVector<BasicBlock *> Latches;
    L.getLoopLatches(Latches);
    for (BasicBlock *BB : L.blocks()) {
      auto *Switch = dyn_cast<SwitchInst>(BB->getTerminator());
      if (Switch && Switch->getNumCases() >= JumpTableCases && LI.getLoopFor(BB) == &L &&
          nextCase(*Switch) && all_of(Latches, [&](BasicBlock *Latch) {
            return DT.dominates(BB, Latch);
          }))
        return Switch;
    }
    return nullptr;
  }

  Polling polling(Loop &L) {
    std::optional<uint64_t> PerIteration = iterationWork(L);
    if (!PerIteration)
      return Polling::EachIteration;
    Work[&L] = *PerIteration;
    if (isShort(L, *PerIteration))
      return Polling::Never;
    return StripMine::canTransform(L, SE) ? Polling::BetweenStrips : Polling::EachIteration;
  }

  bool isShort(Loop &L, uint64_t PerIteration) {
    uint64_t Trips = SE.getSmallConstantMaxTripCount(&L);
    return Trips && Trips * PerIteration <= StripMine::stripWork();
  }

  // An upper bound of the instructions of one iteration, roughly; nullopt if there is none.
  std::optional<uint64_t> iterationWork(Loop &L) {
    uint64_t Sum = 0;
    for (BasicBlock *BB : L.blocks())
      for (Instruction &I : *BB) {
        std::optional<uint64_t> W = Short.instructionWork(I);
        if (!W)
          return std::nullopt;
        uint64_t Trips = 1;
        for (Loop *Inner = LI.getLoopFor(BB); Inner != &L; Inner = Inner->getParentLoop()) {
          uint64_t Most = SE.getSmallConstantMaxTripCount(Inner);
          if (!Most || (Trips *= Most) > StripMine::stripWork())
            return std::nullopt;
        }
        Sum += *W * Trips;
      }
    if (!L.isInnermost() && Sum > StripMine::stripWork())
      return std::nullopt;
    return std::max<uint64_t>(Sum, 1);
  }

  static bool mayCallProgram(Loop &L) {
    for (BasicBlock *BB : L.blocks())
      for (Instruction &I : *BB)
        if (auto *CB = dyn_cast<CallBase>(&I); CB && migrated::mayCallProgram(*CB))
          return true;
    return false;
  }

  Function &F;
  const ShortFunctions &Short;
  ArrayRef<CallBase *> Recursion;
  bool TakesStack;
  Instruction *RecursionPoint = nullptr;
  bool PollsAtPoint = false;
  DominatorTree &DT;
  LoopInfo &LI;
  ScalarEvolution &SE;
  AssumptionCache &AC;
  DenseMap<Loop *, uint64_t> Work; // of an iteration
  SmallVector<StripMine> Strips;
  SmallVector<std::pair<BasicBlock *, BasicBlock *>> Edges;
  SmallVector<SwitchInst *> Dispatches;
};

} // namespace

// The kernel's own migration points tell of themselves, in images that measure.
static void dropGapMarks(Module &M) {
  Function *Mark = M.getFunction(abi::PollGapName);
  if (MeasureGaps || !Mark)
    return;
  for (User *U : make_early_inc_range(Mark->users()))
    cast<CallInst>(U)->eraseFromParent();
  Mark->eraseFromParent();
}

// The cycles of calls with variables that will lie on the shadow stack.
static DenseSet<unsigned> cyclesWithVariables(Module &M, const CallWalk &Walk) {
  DenseSet<unsigned> Cycles;
  for (Function &F : M)
    if (any_of(instructions(F), [](Instruction &I) { return isa<AllocaInst>(I); }))
      Cycles.insert(Walk.cycleOf(F));
  return Cycles;
}

void insertPolls(Module &M, ModuleAnalysisManager &MAM) {
  dropGapMarks(M);
  auto &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  // Before there are polls: a poll's slow path is no way to recurse.
  CallWalk Walk(M);
  ShortFunctions Short(Walk);
  DenseSet<unsigned> TakeStack = cyclesWithVariables(M, Walk);
  for (Function &F : M) {
    if (F.isDeclaration() || F.getName() == abi::PollSlowName)
      continue;
    SmallVector<CallBase *> Recursion;
    if (Walk.cycleEntries().contains(&F) && !F.hasFnAttribute(SystemAttr))
      Recursion = Walk.recursiveCalls(F);
    LoopPolls(F, FAM, Short, Recursion, TakeStack.contains(Walk.cycleOf(F))).insert();
    FAM.invalidate(F, PreservedAnalyses::none());
  }
}

} // namespace migrated
