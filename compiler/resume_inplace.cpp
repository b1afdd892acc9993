// Resume functions that enter the function itself. They leave record and site in two variables
// and call it; its first test finds them, and goes on behind the site.
#include "abi.h"
#include "frame.h"
#include "redefine.h"

#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace migrated {

namespace {

// Values that are live at a large part of the sites are loaded once for all of them.
bool isCommon(unsigned LiveSites, unsigned Sites) { return LiveSites * 4 >= Sites; }

class ResumeInPlace {
public:
  explicit ResumeInPlace(Frame &Fr)
      : Fr(Fr), F(Fr.F), M(*F.getParent()), C(M.getContext()),
        Record(abi::resumeRecord(M)), Site(abi::resumeSite(M)) {}

  Function *build() {
    addEntries();
    dropParameterPromises(F);
    Redefined.rewrite([&](Value *V) -> Redefinitions::First {
      auto *I = dyn_cast<Instruction>(V);
      return {V, I ? I->getParent() : Enter};
    });
    return buildResume();
  }

private:
  void addEntries() {
    BasicBlock *Normal = &F.getEntryBlock();
    Enter = BasicBlock::Create(C, "enter", &F, Normal);
    BasicBlock *Resume = BasicBlock::Create(C, "resume", &F);
    IRBuilder<> B(Enter);
    Value *Number = B.CreateAlignedLoad(B.getInt32Ty(), Site, Align(4), "resume.site");
    B.CreateCondBr(B.CreateIsNotNull(Number), Resume, Normal,
                   MDBuilder(C).createUnlikelyBranchWeights());

    B.SetInsertPoint(Resume);
    Value *Rec = B.CreateAlignedLoad(B.getPtrTy(), Record, Align(8), "record");
    B.CreateAlignedStore(B.getInt32(0), Site, Align(4));
    DenseMap<Value *, unsigned> LiveSites;
    for (migrated::Site &S : Fr.Sites)
      for (Value *V : S.Live)
        ++LiveSites[V];
    DenseSet<Value *> Loaded;
    for (Value *V : Fr.Record.values())
      if (isCommon(LiveSites[V], Fr.Sites.size())) {
        Redefined.add(V, Resume, Fr.Record.load(B, V, Rec));
        Loaded.insert(V);
      }
    BasicBlock *Wrong = BasicBlock::Create(C, "nosite", &F);
    IRBuilder<>(Wrong).CreateUnreachable();
    SwitchInst *Switch = B.CreateSwitch(Number, Wrong, Fr.Sites.size());
    for (migrated::Site &S : Fr.Sites) {
      BasicBlock *Restore = BasicBlock::Create(C, "restore", &F);
      IRBuilder<> R(Restore);
      for (Value *V : S.Live)
        if (!Loaded.contains(V))
          Redefined.add(V, Restore, Fr.Record.load(R, V, Rec));
      if (!S.Call->use_empty())
        Redefined.add(S.Call, Restore, loadResult(R, *S.Call));
      R.CreateBr(S.Call->getNormalDest());
      Switch->addCase(R.getInt32(S.Number + 1), Restore);
    }
  }

  Function *buildResume() {
    Function *R = declareResume(F);
    R->setPersonalityFn(F.getPersonalityFn());
    R->setUWTableKind(UWTableKind::Default);
    IRBuilder<> B(BasicBlock::Create(C, "resume", R));
    B.CreateAlignedStore(R->getArg(0), Record, Align(8));
    B.CreateAlignedStore(B.CreateAdd(R->getArg(1), B.getInt32(1)), Site, Align(4));
    CallInst *Call = callToResume(B, F);
    if (!Call->getType()->isVoidTy())
      storeResult(B, Call);
    B.CreateRetVoid();
    return R;
  }

  Frame &Fr;
  Function &F;
  Module &M;
  LLVMContext &C;
  GlobalVariable *Record, *Site;
  BasicBlock *Enter = nullptr;
  Redefinitions Redefined;
};

} // namespace

Function *resumeInPlace(Frame &Fr) { return ResumeInPlace(Fr).build(); }

} // namespace migrated
