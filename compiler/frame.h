// A function whose frames can be left and come back.
#pragma once

#include "record.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/Instructions.h"

namespace migrated {

// A call that may leave. Live is what the code behind it uses.
struct Site {
  unsigned Number;
  llvm::InvokeInst *Call;
  llvm::SmallVector<llvm::Value *> Live;
};

// A call of __mig_setjmp, and the block that it returns to, once or more often.
struct SetjmpSite {
  unsigned Number;
  llvm::CallInst *Call;
  llvm::BasicBlock *Continuation;

  llvm::Value *frame() const { return Call->getArgOperand(1); }
  llvm::Value *slot() const { return Call->getArgOperand(3); }
};

struct Frame {
  llvm::Function &F;
  llvm::SmallVector<Site> Sites;
  llvm::SmallVector<SetjmpSite> Setjmps;
  RecordLayout Record;
};

// Gives each site's invoke its save pad. Pads whose live sets begin alike share code.
void buildSavePads(Frame &Fr);

// Two ways to make the resume function. The clone costs the size of F once more. The other
// lets F begin behind its sites, which costs a test on each entry, and loops around sites their
// one entry; it takes no setjmps.
llvm::Function *cloneToResume(Frame &Fr);
llvm::Function *resumeInPlace(Frame &Fr);

// Declares the resume function of F: void (ptr record, i32 site).
llvm::Function *declareResume(llvm::Function &F);

// The call's result, from __mig_result; what a frame returns, to it.
llvm::Value *loadResult(llvm::IRBuilder<> &B, llvm::Instruction &Call);
void storeResult(llvm::IRBuilder<> &B, llvm::Value *V);

// Computes cheap values that are live at sites where they are used: constant offsets and casts.
// False if there are none.
bool rematerialise(llvm::Function &F, const llvm::DenseSet<const llvm::Value *> &LiveAtSites);

} // namespace migrated
