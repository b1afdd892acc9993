#include "clones.h"

#include "check.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

namespace migrated {

static cl::opt<unsigned>
    ClonePercent("migrated-clones", cl::init(10), cl::value_desc("percent"),
                 cl::desc("Of the program's code, how much may be cloned to be resumed faster"));

// How deep in loops there are sites of F.
static unsigned siteDepth(Function &F, const Reach &Reached) {
  DominatorTree DT(F);
  LoopInfo LI(DT);
  unsigned Depth = 0;
  for (BasicBlock &BB : F)
    for (Instruction &I : BB)
      if (auto *CB = dyn_cast<CallBase>(&I); CB && Reached.isSite(*CB))
        Depth = std::max(Depth, LI.getLoopDepth(&BB));
  return Depth;
}

DenseSet<const Function *> chooseClones(Module &M, const Reach &Reached) {
  struct Candidate {
    Function *F;
    unsigned Depth, Size;
  };
  SmallVector<Candidate> Candidates;
  for (Function *F : Reached.functions(M))
    if (!F->hasFnAttribute(SystemAttr))
      if (unsigned Depth = siteDepth(*F, Reached))
        Candidates.push_back({F, Depth, F->getInstructionCount()});
  stable_sort(Candidates, [](const Candidate &A, const Candidate &B) {
    return std::tuple(B.Depth, A.Size) < std::tuple(A.Depth, B.Size);
  });

  uint64_t Budget = uint64_t(M.getInstructionCount()) * ClonePercent / 100;
  DenseSet<const Function *> Clones;
  for (const Candidate &C : Candidates)
    if (C.Size <= Budget) {
      Budget -= C.Size;
      Clones.insert(C.F);
    }
  return Clones;
}

} // namespace migrated
