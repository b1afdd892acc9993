#include "core.h"
#include "reach.h"

#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace migrated {

namespace {

struct CorePass : PassInfoMixin<CorePass> {
  using Function = void (*)(Module &, ModuleAnalysisManager &);
  Function Run;

  explicit CorePass(Function Run) : Run(Run) {}
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &MAM) {
    Run(M, MAM);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; }
};

// For fixtures: marks each reached function with the attribute "reached".
void markReached(Module &M, ModuleAnalysisManager &) {
  Reach R(M);
  for (llvm::Function *F : R.functions(M))
    F->addFnAttr("reached");
}

template <void (*Run)(Module &)> void ignoringAnalyses(Module &M, ModuleAnalysisManager &) {
  Run(M);
}

struct NamedPass {
  StringRef Name;
  CorePass::Function Run;
};

constexpr NamedPass Passes[] = {
    {"migrated-poll", insertPolls},
    {"migrated-bulk", ignoringAnalyses<splitBulkOperations>},
    {"migrated-reach", markReached},
    {"migrated-reject", ignoringAnalyses<checkReached>},
    {"migrated-sjlj", ignoringAnalyses<lowerSetjmp>},
    {"migrated-locals", tellLocalsApart},
    {"migrated-shadow", ignoringAnalyses<moveToShadowStack>},
    {"migrated-early", cutEarlyReturns},
    {"migrated-frames", ignoringAnalyses<makeFramesPortable>},
};

} // namespace

bool addCorePass(StringRef Name, ModulePassManager &MPM) {
  for (const NamedPass &P : Passes)
    if (Name == P.Name)
      return MPM.addPass(CorePass(P.Run)), true;
  return false;
}

void addCorePasses(ModulePassManager &MPM) {
  // The fewer allocas there are, the more values stay in registers.
  MPM.addPass(createModuleToFunctionPassAdaptor(SROAPass(SROAOptions::ModifyCFG)));
  MPM.addPass(CorePass(insertPolls));
  MPM.addPass(CorePass(ignoringAnalyses<splitBulkOperations>));
  MPM.addPass(CorePass(ignoringAnalyses<checkReached>));
  MPM.addPass(CorePass(ignoringAnalyses<lowerSetjmp>));
  MPM.addPass(CorePass(tellLocalsApart));
  MPM.addPass(CorePass(ignoringAnalyses<moveToShadowStack>));
  MPM.addPass(CorePass(cutEarlyReturns));
  MPM.addPass(CorePass(ignoringAnalyses<makeFramesPortable>));
}

} // namespace migrated
