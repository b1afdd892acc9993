// A function whose frames can be left and come back.
#pragma once

#include "record.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/Instructions.h"

namespace migrated {

class Liveness;

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

  // Where the function can be entered again from its clone (reentry.cpp): at the head of the
  // first of these loops, each of which lies in the next. None: it cannot.
  llvm::SmallVector<llvm::BasicBlock *> Heads;
  llvm::SmallVector<llvm::Value *> LiveAtReentry; // behind the head's PHIs
  RecordLayout Reentry;
  llvm::GlobalVariable *ReentryBuffer = nullptr;
};

// Whether the frame that makes a call which can leave has anything to do behind it but return.
bool leavesRecord(const llvm::CallInst &Call);

// Variables that may be undefined are zero then.
void defineUndefined(llvm::Function &F);

// Gives each site's invoke its save pad. Pads whose live sets begin alike share code.
void buildSavePads(Frame &Fr);

// Two ways to make the resume function. The clone costs the size of F once more. The other
// lets F begin behind its sites, which costs a test on each entry, and loops around sites their
// one entry; it takes no setjmps.
llvm::Function *cloneToResume(Frame &Fr);
llvm::Function *resumeInPlace(Frame &Fr);

// Finds where an interpreter can be entered again, and what lives there.
void findReentry(Frame &Fr);
void findLiveAtReentry(Frame &Fr, const Liveness &Live);
void layOutReentry(Frame &Fr);
// Makes the clone's copy of the head a call of the function; then gives the function that entry.
void handOver(Frame &Fr, llvm::BasicBlock &Head,
              llvm::function_ref<llvm::Value *(llvm::Value *)> InClone);
void reenter(Frame &Fr);

// Declares the resume function of F: void (ptr record, i32 site).
llvm::Function *declareResume(llvm::Function &F);

// Calls F, which takes all that it needs from elsewhere; F promises nothing of its parameters.
llvm::CallInst *callToResume(llvm::IRBuilder<> &B, llvm::Function &F);
void dropParameterPromises(llvm::Function &F);

// The call's result, from __mig_result; what a frame returns, to it.
llvm::Value *loadResult(llvm::IRBuilder<> &B, llvm::Instruction &Call);
void storeResult(llvm::IRBuilder<> &B, llvm::Value *V);

// Computes cheap values that are live at sites where they are used: constant offsets and casts.
// False if there are none.
bool rematerialise(llvm::Function &F, const llvm::DenseSet<const llvm::Value *> &LiveAtSites);

} // namespace migrated
