// The program is complete: what native code does not name is nobody else's.
#include "front.h"
#include "keep.h"

#include "llvm/Support/CommandLine.h"

using namespace llvm;

namespace migrated {

static cl::list<std::string>
    Keep("migrated-keep", cl::CommaSeparated,
         cl::desc("migrated-prepare: symbols that native objects or later passes refer to"));

KeptNames::KeptNames() {
  for (const std::string &Name : Keep)
    Names.insert(Name);
}

void internalise(Module &M) {
  KeptNames Kept;
  for (GlobalValue &G : M.global_values()) {
    if (G.isDeclaration() || G.getName().starts_with("llvm."))
      continue;
    if (auto *Object = dyn_cast<GlobalObject>(&G))
      Object->setComdat(nullptr);
    // Visibility is about dynamic linking, of which there is none.
    G.setVisibility(GlobalValue::DefaultVisibility);
    // Weak or common: the linker has chosen this definition.
    G.setLinkage(Kept.contains(G) ? GlobalValue::ExternalLinkage : GlobalValue::InternalLinkage);
    G.setDSOLocal(true);
  }
  for (StringRef Name : {"llvm.used", "llvm.compiler.used"})
    if (GlobalVariable *List = M.getNamedGlobal(Name))
      List->eraseFromParent();
}

} // namespace migrated
