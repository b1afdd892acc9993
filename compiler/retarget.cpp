// Turns the merged program, compiled for the neutral ABI, into one for no ISA in particular.
#include "check.h"
#include "diag.h"
#include "front.h"
#include "target.h"

#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/TypeFinder.h"

using namespace llvm;

namespace migrated {

// All else that clang hangs on a function as a string is about the CPU, the ABI, hardening or
// floating-point licences.
static bool isKept(StringRef Name) {
  return Name == CheckedAttr || Name == SystemAttr || Name.starts_with("no-builtin") ||
         Name == "alloc-family";
}

static void stripAttributes(Function &F) {
  AttributeMask Drop;
  for (Attribute A : F.getAttributes().getFnAttrs())
    if (A.isStringAttribute() && !isKept(A.getKindAsString()))
      Drop.addAttribute(A.getKindAsString());
  for (Attribute::AttrKind K :
       {Attribute::StackProtect, Attribute::StackProtectReq, Attribute::StackProtectStrong,
        Attribute::SafeStack, Attribute::ShadowCallStack, Attribute::NoCfCheck,
        Attribute::NoImplicitFloat, Attribute::VScaleRange, Attribute::UWTable,
        Attribute::NonLazyBind})
    Drop.addAttribute(K);
  // -O0 asks for it, but the core passes need their input in SSA form.
  Drop.addAttribute(Attribute::OptimizeNone);
  F.removeFnAttrs(Drop);
  F.setCallingConv(CallingConv::C);
}

// Leaving a stack is an unwind, so that nothing may be taken to be free of them.
static void dropNoUnwind(Function &F) {
  F.removeFnAttr(Attribute::NoUnwind);
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallBase>(&I); Call && !isa<IntrinsicInst>(Call)) {
      if (!Call->isInlineAsm())
        Call->removeFnAttr(Attribute::NoUnwind);
      Call->setCallingConv(CallingConv::C);
    }
}

// Module flags that are not about one target.
static void stripModuleFlags(Module &M) {
  SmallVector<Module::ModuleFlagEntry, 8> Flags;
  M.getModuleFlagsMetadata(Flags);
  if (NamedMDNode *Old = M.getModuleFlagsMetadata())
    Old->eraseFromParent();
  for (const Module::ModuleFlagEntry &Flag : Flags) {
    StringRef Name = Flag.Key->getString();
    if (Name == "Debug Info Version" || Name == "Dwarf Version" || Name == "wchar_size")
      M.addModuleFlag(Flag.Behavior, Name, Flag.Val);
  }
}

void stripTarget(Module &M) {
  stripModuleFlags(M);
  for (StringRef Name : {"llvm.ident", "llvm.commandline", "riscv-isa", "migrated.units"})
    if (NamedMDNode *N = M.getNamedMetadata(Name))
      N->eraseFromParent();
  for (Function &F : M)
    if (!F.isIntrinsic())
      stripAttributes(F);
}

// Every type has one size and one inner layout in all builds. It follows from the scalars, but
// a struct of clang's for some extension might be the first that breaks it.
static void requireOneLayout(Module &M) {
  Diagnostics Diag(M);
  SmallVector<DataLayout, 3> All;
  for (const char *L : Layouts)
    All.emplace_back(L);
  auto Agree = [&](Type *T) {
    if (!T->isSized())
      return true;
    return all_of(All, [&](const DataLayout &L) {
      return L.getTypeAllocSize(T) == All[0].getTypeAllocSize(T) &&
             L.getABITypeAlign(T) == All[0].getABITypeAlign(T);
    });
  };
  TypeFinder Structs;
  Structs.run(M, /*onlyNamed=*/false);
  for (StructType *S : Structs)
    if (!Agree(S) || !all_of(S->elements(), Agree))
      Diag.error("the layout of '" + (S->hasName() ? S->getName() : "an unnamed struct") +
                 "' differs between ISAs; give its members explicit alignments");
  for (GlobalVariable &G : M.globals())
    if (!Agree(G.getValueType()))
      Diag.error("the size of variable '" + G.getName() + "' differs between ISAs");
  for (Function &F : M)
    for (Instruction &I : instructions(F))
      if (auto *A = dyn_cast<AllocaInst>(&I); A && !Agree(A->getAllocatedType()))
        Diag.error(I, "the size of a variable differs between ISAs");
  Diag.exitOnError();
}

void retarget(Module &M) {
  requireOneLayout(M);
  // Preferred alignments do differ: fix each at the neutral ABI's before the layout goes.
  const DataLayout &From = M.getDataLayout();
  for (GlobalVariable &G : M.globals())
    if (!G.getAlign() && G.getValueType()->isSized())
      G.setAlignment(From.getPreferredAlign(&G));
  M.setTargetTriple(NeutralTriple);
  M.setDataLayout(NeutralLayout);
  stripTarget(M);
  for (Function &F : M)
    if (!F.isIntrinsic())
      dropNoUnwind(F);
}

} // namespace migrated
