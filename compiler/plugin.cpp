// Registers the passes with opt and clang. docs/compiler.md lists them.
#include "core.h"
#include "front.h"

#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Transforms/IPO/ConstantMerge.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"

using namespace llvm;
using namespace migrated;

namespace {

// A function over a module as a pass.
struct Step : PassInfoMixin<Step> {
  void (*Run)(Module &);

  explicit Step(void (*Run)(Module &)) : Run(Run) {}
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &) {
    Run(M);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; }
};

struct NamedStep {
  StringRef Name;
  void (*Run)(Module &);
};

constexpr NamedStep Steps[] = {
    {"migrated-source", checkSource},
    {"migrated-statics", renameStatics},
    {"migrated-yield", yieldToProgram},
    {"migrated-checked", requireChecked},
    {"migrated-retarget", retarget},
    {"migrated-aliases", resolveAliases},
    {"migrated-ctors", lowerConstructors},
    {"migrated-sets", joinSets},
    {"migrated-internalise", internalise},
    {"migrated-seclude", secludeProgram},
    {"migrated-indirectbr", lowerIndirectBranches},
    {"migrated-strict-fp", lowerStrictFP},
    {"migrated-source-math", lowerSourceMath},
    {"migrated-math", lowerMath},
    {"migrated-variadics", lowerVariadics},
    {"migrated-tls", lowerThreadLocals},
    {"migrated-hold-library", holdLibrary},
    {"migrated-release-library", releaseLibrary},
    {"migrated-fast-math", dropFastMath},
    {"migrated-globals", pinGlobals},
    {"migrated-forget-library", forgetLibrary},
    {"migrated-target", setTarget},
    {"migrated-parts", cutProgram},
};

void addCheck(ModulePassManager &MPM) {
  MPM.addPass(Step(checkSource));
  MPM.addPass(Step(renameStatics));
  // Here, so that the linker sees which functions of libm are needed.
  MPM.addPass(Step(lowerStrictFP));
  MPM.addPass(Step(lowerSourceMath));
}

void addPrepare(ModulePassManager &MPM) {
  MPM.addPass(Step(requireChecked));
  MPM.addPass(Step(retarget));
  MPM.addPass(Step(lowerMath)); // before optimisation folds a*b+c one way or the other
  MPM.addPass(Step(resolveAliases));
  MPM.addPass(Step(lowerConstructors));
  MPM.addPass(Step(joinSets));
  MPM.addPass(Step(internalise));
  MPM.addPass(Step(secludeProgram));
  MPM.addPass(GlobalDCEPass());
  // Before variadics, which moves bodies to new functions: a block's address names both.
  MPM.addPass(Step(lowerIndirectBranches));
  MPM.addPass(Step(lowerVariadics));
  MPM.addPass(Step(lowerThreadLocals));
  MPM.addPass(Step(holdLibrary));
}

void addTransform(ModulePassManager &MPM) {
  MPM.addPass(Step(dropFastMath));
  MPM.addPass(Step(lowerMath)); // optimisation has made new ones
  MPM.addPass(Step(releaseLibrary));
  MPM.addPass(GlobalDCEPass());
  addCorePasses(MPM);
  MPM.addPass(Step(forgetLibrary)); // while names are still the module's own affair
  MPM.addPass(Step(pinGlobals));
}

bool addByName(StringRef Name, ModulePassManager &MPM,
               ArrayRef<PassBuilder::PipelineElement>) {
  if (Name == "migrated-check")
    return addCheck(MPM), true;
  if (Name == "migrated-prepare")
    return addPrepare(MPM), true;
  if (Name == "migrated-transform")
    return addTransform(MPM), true;
  for (const NamedStep &S : Steps)
    if (Name == S.Name)
      return MPM.addPass(Step(S.Run)), true;
  return addCorePass(Name, MPM);
}

// Clang's own pipeline is that of a build. It begins with migrated-target, and ends with
// migrated-parts, where their options are given.
void addToClang(PassBuilder &PB) {
  PB.registerPipelineStartEPCallback([](ModulePassManager &MPM, OptimizationLevel) {
    if (hasTarget())
      MPM.addPass(Step(setTarget));
  });
  PB.registerOptimizerLastEPCallback([](ModulePassManager &MPM, OptimizationLevel) {
    if (!isCut())
      return;
    // What clang would do to the whole behind this place.
    MPM.addPass(GlobalDCEPass());
    MPM.addPass(ConstantMergePass());
    MPM.addPass(Step(cutProgram));
  });
}

} // namespace

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "migrated", "1",
          [](PassBuilder &PB) {
            PB.registerPipelineParsingCallback(addByName);
            addToClang(PB);
          }};
}
