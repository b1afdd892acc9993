// Writes down which accesses cannot be of which local variable, as alias scopes. As long as a
// variable is an alloca the optimiser sees that by itself: no argument points to it, nor does a
// loaded pointer if its address is not stored. On the shadow stack it is memory behind a loaded
// pointer, and each build would load it anew behind every store, and check for overlaps before
// each vector loop.
//
// Calls are not told apart: a call may leave the frame, and then all of it has to be in memory.
//
// A variable has one address from the function's entry to its return, whatever frames leave and
// come back in between, and shares it with no other. Where the function is inlined into a loop,
// each iteration has variables of its own: for that the scopes are declared on entry.
#include "core.h"
#include "reach.h"

#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"

using namespace llvm;

namespace migrated {

namespace {

// Bounds what is compared with what in large functions.
constexpr size_t MostVariables = 64;
constexpr size_t MostPairs = 1 << 18;

// An access and where it is; two places if it copies.
struct Access {
  Instruction *I;
  SmallVector<const Value *, 2> Pointers;
};

class Locals {
public:
  Locals(Function &F, AAResults &AA) : F(F), AA(AA), MDB(F.getContext()) {}

  void tellApart() {
    collect();
    if (Scopes.empty())
      return;
    for (Access &A : Accesses)
      describe(A);
    declare();
  }

private:
  void collect() {
    for (Instruction &I : instructions(F)) {
      Access A{&I, {}};
      if (auto *Load = dyn_cast<LoadInst>(&I); Load && Load->isSimple())
        A.Pointers = {Load->getPointerOperand()};
      else if (auto *Store = dyn_cast<StoreInst>(&I); Store && Store->isSimple())
        A.Pointers = {Store->getPointerOperand()};
      else if (auto *Mem = dyn_cast<MemIntrinsic>(&I); Mem && !Mem->isVolatile()) {
        A.Pointers = {Mem->getRawDest()};
        if (auto *Copy = dyn_cast<MemTransferInst>(Mem))
          A.Pointers.push_back(Copy->getRawSource());
      }
      if (!A.Pointers.empty())
        Accesses.push_back(std::move(A));
    }
    for (const Access &A : Accesses)
      for (const AllocaInst *V : variables(A))
        if (Scopes.size() < std::min(MostVariables, MostPairs / Accesses.size()))
          addScope(V);
  }

  void addScope(const AllocaInst *V) {
    if (Scopes.contains(V))
      return;
    if (!Domain)
      Domain = MDB.createAnonymousAliasScopeDomain(F.getName());
    Scopes[V] = MDB.createAnonymousAliasScope(Domain, V->getName());
  }

  // The variables that A accesses; none if it may be of other memory too.
  static SmallVector<const AllocaInst *> variables(const Access &A) {
    SmallVector<const AllocaInst *> Vs;
    for (const Value *P : A.Pointers) {
      SmallVector<const Value *> Objects;
      getUnderlyingObjects(P, Objects, nullptr, /*MaxLookup=*/0);
      for (const Value *O : Objects) {
        auto *V = dyn_cast<AllocaInst>(O);
        if (!V || !V->isStaticAlloca())
          return {};
        Vs.push_back(V);
      }
    }
    return Vs;
  }

  void describe(Access &A) {
    SmallVector<Metadata *> In, NotIn;
    SmallVector<const AllocaInst *> Mine = variables(A);
    if (all_of(Mine, [&](const AllocaInst *V) { return Scopes.contains(V); }))
      for (const AllocaInst *V : Mine)
        if (MDNode *S = Scopes.lookup(V); !is_contained(In, S))
          In.push_back(S);
    for (auto [V, Scope] : Scopes)
      if (all_of(A.Pointers, [&, V = V](const Value *P) { return apart(P, V); }))
        NotIn.push_back(Scope);
    add(*A.I, LLVMContext::MD_alias_scope, In);
    add(*A.I, LLVMContext::MD_noalias, NotIn);
  }

  bool apart(const Value *P, const AllocaInst *V) {
    return AA.alias(MemoryLocation::getBeforeOrAfter(P), MemoryLocation::getBeforeOrAfter(V)) ==
           AliasResult::NoAlias;
  }

  void declare() {
    IRBuilder<> B(&*F.getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
    for (auto [V, Scope] : Scopes)
      B.CreateNoAliasScopeDeclaration(MDNode::get(F.getContext(), Scope));
  }

  static void add(Instruction &I, unsigned Kind, ArrayRef<Metadata *> Scopes) {
    if (!Scopes.empty())
      I.setMetadata(Kind, MDNode::concatenate(I.getMetadata(Kind),
                                              MDNode::get(I.getContext(), Scopes)));
  }

  Function &F;
  BatchAAResults AA;
  MDBuilder MDB;
  MDNode *Domain = nullptr;
  SmallVector<Access> Accesses;
  MapVector<const AllocaInst *, MDNode *> Scopes;
};

} // namespace

void tellLocalsApart(Module &M, ModuleAnalysisManager &MAM) {
  auto &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  Reach Reached(M);
  for (Function *F : Reached.functions(M)) {
    FAM.invalidate(*F, PreservedAnalyses::none());
    Locals(*F, FAM.getResult<AAManager>(*F)).tellApart();
  }
}

} // namespace migrated
