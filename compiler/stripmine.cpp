#include "stripmine.h"

#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"

using namespace llvm;

namespace migrated {

// At one instruction a cycle and 1.3 GHz, the default takes 50 microseconds.
static cl::opt<unsigned> StripWork("migrated-strip", cl::init(65536), cl::Hidden,
                                   cl::desc("Instructions between polls in a simple loop"));

uint64_t StripMine::stripWork() { return std::max(1u, unsigned(StripWork)); }

// Dividing by a variable on each entry to a loop costs more than polls in a short one.
static bool dividesByVariable(const SCEV *S) {
  return SCEVExprContains(S, [](const SCEV *E) {
    auto *Div = dyn_cast<SCEVUDivExpr>(E);
    return Div && !isa<SCEVConstant>(Div->getRHS());
  });
}

bool StripMine::canTransform(Loop &L, ScalarEvolution &SE) {
  BasicBlock *Latch = L.getLoopLatch();
  if (!L.isLoopSimplifyForm() || !L.isLoopExiting(Latch))
    return false;
  auto *Br = dyn_cast<BranchInst>(Latch->getTerminator());
  const SCEV *Count = SE.getExitCount(&L, Latch);
  if (!Br || isa<SCEVCouldNotCompute>(Count) || dividesByVariable(Count))
    return false;
  if (!Count->getType()->isIntegerTy() || SE.getTypeSizeInBits(Count->getType()) > 64)
    return false;
  SCEVExpander Expander(SE, L.getHeader()->getDataLayout(), "count");
  return Expander.isSafeToExpandAt(Count, L.getLoopPreheader()->getTerminator());
}

StripMine::StripMine(Loop &L, uint64_t IterationWork)
    : L(&L), Iterations(std::max<uint64_t>(1, bit_floor(stripWork() / IterationWork))),
      Preheader(L.getLoopPreheader()), Header(L.getHeader()), Latch(L.getLoopLatch()) {
  auto *Br = cast<BranchInst>(Latch->getTerminator());
  Exit = Br->getSuccessor(Br->getSuccessor(0) == Header ? 1 : 0);
}

void StripMine::expandCount(ScalarEvolution &SE) {
  SCEVExpander Expander(SE, Header->getDataLayout(), "count");
  const SCEV *S = SE.getExitCount(L, Latch);
  Count = Expander.expandCodeFor(S, S->getType(), Preheader->getTerminator());
}

Instruction *StripMine::transform() {
  LLVMContext &C = Header->getContext();
  Function *F = Header->getParent();
  BasicBlock *Strip = BasicBlock::Create(C, "strip", F, Header);
  BasicBlock *End = BasicBlock::Create(C, "strip.end", F, Exit);
  BasicBlock *Next = BasicBlock::Create(C, "strip.next", F, Exit);
  auto *T = cast<IntegerType>(Count->getType());
  auto *OldBranch = cast<BranchInst>(Latch->getTerminator());
  DebugLoc Loc = OldBranch->getDebugLoc();

  // strip: Left is how often the whole loop still goes back, This how often this strip does.
  uint64_t Most = std::min(Iterations - 1, T->getBitMask());
  IRBuilder<> S(Strip);
  PHINode *Left = S.CreatePHI(T, 2, "left");
  Value *This = S.CreateBinaryIntrinsic(Intrinsic::umin, Left, ConstantInt::get(T, Most));
  S.SetCurrentDebugLocation(Loc);
  S.CreateBr(Header);
  Preheader->getTerminator()->replaceSuccessorWith(Header, Strip);

  // The header's PHIs begin each strip with what the one before ended with.
  IRBuilder<> E(End);
  for (PHINode &Phi : Header->phis()) {
    PHINode *Carried = PHINode::Create(Phi.getType(), 2, Phi.getName() + ".strip", Left->getIterator());
    PHINode *Last = E.CreatePHI(Phi.getType(), 1, Phi.getName() + ".end");
    Last->addIncoming(Phi.getIncomingValueForBlock(Latch), Latch);
    Carried->addIncoming(Phi.getIncomingValueForBlock(Preheader), Preheader);
    Carried->addIncoming(Last, Next);
    int I = Phi.getBasicBlockIndex(Preheader);
    Phi.setIncomingBlock(I, Strip);
    Phi.setIncomingValue(I, Carried);
  }
  for (PHINode &Phi : Exit->phis()) {
    PHINode *Last = E.CreatePHI(Phi.getType(), 1, Phi.getName() + ".end");
    int I = Phi.getBasicBlockIndex(Latch);
    Last->addIncoming(Phi.getIncomingValue(I), Latch);
    Phi.setIncomingBlock(I, End);
    Phi.setIncomingValue(I, Last);
  }

  // The latch counts within the strip.
  PHINode *Index = PHINode::Create(T, 2, "strip.index", Header->begin());
  IRBuilder<> B(OldBranch);
  Value *NextIndex = B.CreateAdd(Index, ConstantInt::get(T, 1), "strip.index.next",
                                 /*HasNUW=*/true);
  Index->addIncoming(ConstantInt::get(T, 0), Strip);
  Index->addIncoming(NextIndex, Latch);
  BranchInst *NewBranch = B.CreateCondBr(B.CreateICmpEQ(Index, This), End, Header);
  NewBranch->copyMetadata(*OldBranch); // llvm.loop; without weights, which may be swapped
  NewBranch->setMetadata(LLVMContext::MD_prof, nullptr);
  Value *OldCondition = OldBranch->getCondition();
  OldBranch->eraseFromParent();
  if (auto *I = dyn_cast<Instruction>(OldCondition); I && I->use_empty())
    I->eraseFromParent();

  // The loop is done when this strip has gone back as often as was left.
  // Most are with the first: a loop over strips that seems to go round often would
  // have what lives across its poll in memory.
  E.SetCurrentDebugLocation(Loc);
  E.CreateCondBr(E.CreateICmpEQ(Left, This), Exit, Next,
                 MDBuilder(C).createLikelyBranchWeights());
  IRBuilder<> N(Next);
  N.SetCurrentDebugLocation(Loc);
  Value *Less = N.CreateSub(Left, N.CreateAdd(This, ConstantInt::get(T, 1)), "left.next");
  Left->addIncoming(Count, Preheader);
  Left->addIncoming(Less, Next);
  return N.CreateBr(Strip);
}

} // namespace migrated
