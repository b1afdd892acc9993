// migrated-target: makes the finished program one of a given ISA. All that depends on the CPU
// comes from here on, by clang's options.
#include "target.h"
#include "abi.h"
#include "diag.h"
#include "front.h"

#include "llvm/IR/InstrTypes.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

namespace migrated {

static cl::opt<std::string> TargetTriple("migrated-triple",
                                         cl::desc("migrated-target: LLVM triple of the build"));
static cl::opt<std::string> TargetLayout("migrated-datalayout",
                                         cl::desc("migrated-target: data layout of the build"));
static cl::opt<std::string> TargetTune("migrated-tune",
                                       cl::desc("migrated-target: processor to tune for, where it is "
                                                "not the one of -march"));
static cl::opt<std::string> TargetPoll("migrated-poll",
                                       cl::desc("migrated-target: what polls call that found something pending, "
                                                "without a change of registers"));

bool hasTarget() { return !TargetTriple.empty(); }

// A poll is next to nothing, but as an ordinary call its slow path would have what lives across it
// in memory, or in the registers that a function has to save.
static void keepRegistersInPolls(Module &M) {
  Function *Slow = M.getFunction(abi::PollSlowName);
  if (!Slow || TargetPoll.empty())
    return;
  FunctionCallee Poll = M.getOrInsertFunction(TargetPoll, Slow->getFunctionType());
  cast<Function>(Poll.getCallee())->setCallingConv(CallingConv::PreserveAll);
  for (User *U : make_early_inc_range(Slow->users())) {
    auto *CB = dyn_cast<CallBase>(U);
    if (!CB || CB->getCalledOperand() != Slow || !CB->hasFnAttr(Attribute::Cold))
      continue;
    CB->setCalledFunction(Poll);
    CB->setCallingConv(CallingConv::PreserveAll);
  }
}

void setTarget(Module &M) {
  Diagnostics Diag(M);
  if (TargetTriple.empty() || TargetLayout.empty())
    Diag.error("migrated-target needs -migrated-triple and -migrated-datalayout");
  else if (!is_contained(Layouts, TargetLayout.getValue()))
    Diag.error("migrated-target: no program is checked against the data layout " + TargetLayout +
               "; add it to compiler/target.h");
  for (Function &F : M)
    if (F.isTargetIntrinsic() && !F.use_empty())
      Diag.error("a pass has used '" + F.getName() + "', which only one ISA has");
  Diag.exitOnError();

  M.setTargetTriple(TargetTriple);
  M.setDataLayout(TargetLayout);
  stripTarget(M);
  keepRegistersInPolls(M);
  // At each instruction, not only at calls: a crash is anywhere.
  M.setUwtable(UWTableKind::Async);
  for (Function &F : M)
    if (!F.isDeclaration()) {
      F.setUWTableKind(UWTableKind::Async);
      if (!TargetTune.empty()) // clang heeds -mtune with source files alone
        F.addFnAttr("tune-cpu", TargetTune);
    }
}

} // namespace migrated
