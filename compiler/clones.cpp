#include "clones.h"

#include "abi.h"
#include "callwalk.h"
#include "poll.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Support/CommandLine.h"

#include <cmath>

using namespace llvm;

namespace migrated {

static cl::opt<unsigned>
    ClonePercent("migrated-clones", cl::init(12), cl::value_desc("percent"),
                 cl::desc("Of the program's code, how much may be cloned to be resumed faster"));

namespace {

// How often functions run, guessed from the loops that they are called in.
class Frequencies {
public:
  Frequencies(Module &M, const Reach &Reached) : Walk(M), Reached(Reached) {
    for (Function *F : Walk.callersFirst())
      propagate(*F);
  }

  double of(const Function &F) const { return Calls.lookup(&F); }

  // Of the sites of F, the one that runs most often in one call of F.
  double ofSites(const Function &F) const { return Sites.lookup(&F); }

private:
  // An iteration for each of a loop's, as far as anybody can guess; no more in deeper nests.
  static double ofDepth(unsigned Depth) { return std::pow(8, std::min(Depth, 6u)); }

  // Recursion is as good as this many loops.
  static constexpr unsigned RecursionDepth = 2;

  void propagate(Function &F) {
    DominatorTree DT(F);
    LoopInfo LI(DT);
    Calls[&F] += 1;
    if (Walk.cycleEntries().contains(&F))
      Calls[&F] *= ofDepth(RecursionDepth);
    double Here = Calls[&F];
    for (BasicBlock &BB : F)
      for (Instruction &I : BB) {
        auto *CB = dyn_cast<CallBase>(&I);
        if (!CB)
          continue;
        double Each = ofDepth(LI.getLoopDepth(&BB));
        if (Reached.isSite(*CB))
          Sites[&F] = std::max(Sites[&F], Each);
        ArrayRef<Function *> Targets = Walk.targets(*CB);
        for (Function *Callee : Targets)
          Calls[Callee] += Here * Each / Targets.size();
      }
  }

  CallWalk Walk;
  const Reach &Reached;
  DenseMap<const Function *, double> Calls, Sites;
};

// A function of at most this many instructions may be inlined.
constexpr unsigned SmallSize = 100;

bool onlyPolls(const Function &F, const Reach &Reached) {
  return all_of(instructions(F), [&](const Instruction &I) {
    auto *CB = dyn_cast<CallBase>(&I);
    if (!CB || !Reached.isSite(*CB))
      return true;
    Function *Callee = calledFunction(*CB);
    return Callee && Callee->getName() == abi::PollSlowName;
  });
}

} // namespace

DenseSet<const Function *> chooseClones(Module &M, const Reach &Reached) {
  struct Candidate {
    Function *F;
    unsigned Class; // 2: interpreter, 1: small and only polls, 0: other
    double Gain;    // for each instruction that the clone costs
    unsigned Size;
  };
  Frequencies Freq(M, Reached);
  SmallVector<Candidate> Candidates;
  for (Function *F : Reached.functions(M))
    if (double Sites = Freq.ofSites(*F)) {
      unsigned Size = F->getInstructionCount();
      unsigned Class = F->hasFnAttribute(InterpreterAttr)         ? 2
                       : Size <= SmallSize && onlyPolls(*F, Reached) ? 1
                                                                     : 0;
      Candidates.push_back({F, Class, Freq.of(*F) * Sites / Size, Size});
    }
  stable_sort(Candidates, [](const Candidate &A, const Candidate &B) {
    return std::tuple(A.Class, A.Gain) > std::tuple(B.Class, B.Gain);
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
