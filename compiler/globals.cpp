// The last step of migrated-transform: everything whose address the program can see gets an
// external name, an alignment and a section of its own, for the planner to give it one address
// in all builds. The rest is free to lie anywhere in each build.
#include "front.h"
#include "target.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstrTypes.h"

using namespace llvm;

namespace migrated {

// Holds addresses of one build, and is never pointed at by portable memory.
constexpr StringLiteral PrivateSection = ".rodata.mig.private";

// Gives a symbol a name as plain as linker scripts want it. LLVM keeps names apart.
static void plainName(GlobalValue &G) {
  if (!G.hasLocalLinkage())
    return; // native code knows it by its name
  std::string Plain;
  for (char C : G.getName())
    if (C != '\1') // clang's mark of an asm label
      Plain += isAlnum(C) || C == '_' || C == '.' || C == '$' ? C : '_';
  G.setName(Plain.empty() ? "anonymous" : Plain);
}

// Whether the address of a function can be seen by the program, or only by calls and by what
// is private to the build.
static bool isAddressSeen(const Value &V) {
  for (const Use &U : V.uses()) {
    const User *By = U.getUser();
    if (auto *Call = dyn_cast<CallBase>(By)) {
      if (!Call->isCallee(&U))
        return true;
    } else if (auto *G = dyn_cast<GlobalVariable>(By)) {
      if (G->getSection() != PrivateSection)
        return true;
    } else if (isa<Function>(By)) {
      continue; // a personality
    } else if (!isa<Constant>(By) || isAddressSeen(*By)) {
      return true;
    }
  }
  return false;
}

// Alignment in all builds. Code generation for one ISA may raise that of a variable in bss for
// its vector instructions (what is in an explicit section is left alone), so that has to be as
// aligned as any would want it.
static Align alignmentOf(const GlobalVariable &G, bool Bss) {
  const DataLayout &DL = G.getParent()->getDataLayout();
  Align A = G.getAlign().valueOrOne();
  for (StringRef Layout : Layouts) {
    DataLayout L(Layout);
    A = std::max(A, L.getABITypeAlign(G.getValueType()));
    if (Bss)
      A = std::max(A, L.getPrefTypeAlign(G.getValueType()));
  }
  uint64_t Size = DL.getTypeAllocSize(G.getValueType());
  if (!G.isConstant() && Size >= 16)
    A = std::max(A, Align(16));
  if (Bss && Size > 0)
    A = std::max(A, Align(std::min<uint64_t>(64, bit_floor(Size))));
  return A;
}

static void pin(GlobalVariable &G) {
  plainName(G);
  bool Zero = G.getInitializer()->isNullValue() || isa<UndefValue>(G.getInitializer());
  bool Bss = Zero && !G.isConstant();
  G.setAlignment(alignmentOf(G, Bss));
  G.setLinkage(GlobalValue::ExternalLinkage);
  // Not mergeable, nor replaceable by an equal constant.
  G.setUnnamedAddr(GlobalValue::UnnamedAddr::None);
  G.setComdat(nullptr);
  G.setAttributes(AttributeSet());
  if (Bss) {
    // A section by attribute: one by name would take up room in the object file.
    G.setSection("");
    G.addAttribute("bss-section", (".mig.bss." + G.getName()).str());
  } else {
    G.setSection(((G.isConstant() ? ".mig.rodata." : ".mig.data.") + G.getName()).str());
  }
}

static void pin(Function &F) {
  plainName(F);
  F.setLinkage(GlobalValue::ExternalLinkage);
  F.setUnnamedAddr(GlobalValue::UnnamedAddr::None);
  F.setAlignment(std::max(F.getAlign().valueOrOne(), Align(16)));
  F.setSection((".mig.text." + F.getName()).str());
}

void pinGlobals(Module &M) {
  for (StringRef Name : {"__mig_sites", "__mig_site_count", "__mig_record_max"})
    if (GlobalVariable *G = M.getNamedGlobal(Name); G && !G->isDeclaration())
      G->setSection(PrivateSection);
  for (GlobalVariable &G : M.globals())
    if (!G.isDeclaration() && !G.getName().starts_with("llvm.") &&
        G.getSection() != PrivateSection)
      pin(G);
  for (Function &F : M)
    if (!F.isDeclaration() && isAddressSeen(F))
      pin(F);
  // Everything is linked statically, below 2 GiB.
  for (GlobalValue &G : M.global_values())
    if (!G.hasExternalWeakLinkage())
      G.setDSOLocal(true);
}

} // namespace migrated
