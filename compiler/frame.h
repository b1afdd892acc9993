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

// Returns the resume function: a clone of F that begins behind any of its sites.
llvm::Function *buildResume(Frame &Fr);

// Computes cheap values that are live at sites where they are used: constant offsets and casts.
// False if there are none.
bool rematerialise(llvm::Function &F, const llvm::DenseSet<const llvm::Value *> &LiveAtSites);

} // namespace migrated
