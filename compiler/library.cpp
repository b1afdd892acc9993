// Optimisation may put one library function in place of another, as long as that one is there:
// in a whole program, where the linker has taken from libc what the source names, it may not be.
#include "front.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/Constants.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace migrated {

// Native, in each build: runtime-abi.md.
static bool isAlwaysThere(StringRef Name) {
  return StringSwitch<bool>(Name)
      .Cases("memcpy", "memmove", "memset", "memcmp", "bcmp", true)
      .Default(false);
}

// Until releaseLibrary: library functions that are in the program stay in it, unused as they
// may be, and nothing is made a call of one that is not.
void holdLibrary(Module &M) {
  TargetLibraryInfoImpl Library{Triple(M.getTargetTriple())};
  TargetLibraryInfo Info(Library);
  SmallVector<GlobalValue *, 32> Held;
  AttrBuilder Absent(M.getContext());
  for (unsigned I = 0; I < NumLibFuncs; I++) {
    auto Func = static_cast<LibFunc>(I);
    if (!Info.has(Func))
      continue;
    StringRef Name = Info.getName(Func);
    Function *F = M.getFunction(Name);
    if (F && !F->isDeclaration())
      Held.push_back(F);
    else if (!isAlwaysThere(Name))
      Absent.addAttribute(("no-builtin-" + Name).str());
  }
  if (!Held.empty())
    appendToCompilerUsed(M, Held);
  for (Function &F : M)
    if (!F.isDeclaration() && !F.hasFnAttribute("no-builtins"))
      F.addFnAttrs(Absent);
}

void releaseLibrary(Module &M) {
  if (GlobalVariable *List = M.getNamedGlobal("llvm.compiler.used"))
    List->eraseFromParent();
  for (Function &F : M) {
    AttributeMask Absent;
    for (Attribute A : F.getAttributes().getFnAttrs())
      if (A.isStringAttribute() && A.getKindAsString().starts_with("no-builtin-"))
        Absent.addAttribute(A.getKindAsString());
    F.removeFnAttrs(Absent);
  }
}

// A function that the optimiser would take for the library's because of its name gets another
// name. In a source file that is a static function. In the finished program it is the library
// function itself: what its name says has been used, and may not be used again for one build.
// Attributes of it (nounwind) are not true of a function that can migrate, and a call that is
// folded in one build alone makes builds differ.
static void rename(Module &M, StringRef Suffix) {
  TargetLibraryInfoImpl Library{Triple(M.getTargetTriple())};
  LibFunc Func;
  for (Function &F : M)
    if (F.hasLocalLinkage() && Library.getLibFunc(F.getName(), Func))
      F.setName(F.getName() + Suffix);
}

void renameStatics(Module &M) { rename(M, ".static"); }

void forgetLibrary(Module &M) {
  rename(M, ".mig");
  // libc is compiled so that no function of it becomes a call of itself. That cannot happen any
  // more, and the attribute would keep it from being inlined.
  for (Function &F : M)
    F.removeFnAttr("no-builtins");
}

} // namespace migrated
