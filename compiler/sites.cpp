#include "sites.h"

#include "abi.h"

#include "llvm/IR/Constants.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace migrated {

static cl::opt<std::string> SitesFile("migrated-sites", cl::value_desc("file"),
                                      cl::desc("Write the site table to this file"));

unsigned SiteTable::add(const Function &F) {
  Sites.push_back({F.getName().str(), 0, "", nullptr});
  return Sites.size() - 1;
}

void SiteTable::describe(unsigned Site, uint64_t Size, std::string Values) {
  Sites[Site].Size = Size;
  Sites[Site].Values = std::move(Values);
}

void SiteTable::setResume(unsigned Site, Function *Resume) { Sites[Site].Resume = Resume; }

static void define(Module &M, StringRef Name, Constant *Value) {
  auto *G = M.getGlobalVariable(Name);
  if (G && !G->isDeclaration())
    report_fatal_error("the program defines " + Twine(Name), false);
  auto *New = new GlobalVariable(M, Value->getType(), /*isConstant=*/true,
                                 GlobalValue::ExternalLinkage, Value);
  if (G) {
    G->replaceAllUsesWith(New);
    G->eraseFromParent();
  }
  New->setName(Name);
  New->setAlignment(Align(8));
  New->setSection(abi::PrivateRodata);
}

void SiteTable::emit(Module &M) const {
  auto *Ptr = PointerType::getUnqual(M.getContext());
  auto *I64 = Type::getInt64Ty(M.getContext());
  std::vector<Constant *> Resumes;
  uint64_t Largest = 0;
  for (const Site &S : Sites) {
    Resumes.push_back(S.Resume);
    Largest = std::max(Largest, S.Size);
  }
  define(M, "__mig_sites", ConstantArray::get(ArrayType::get(Ptr, Resumes.size()), Resumes));
  define(M, "__mig_site_count", ConstantInt::get(I64, Sites.size()));
  define(M, "__mig_record_max", ConstantInt::get(I64, Largest));
}

void SiteTable::write() const {
  if (SitesFile.empty())
    return;
  std::error_code EC;
  raw_fd_ostream OS(SitesFile, EC, sys::fs::OF_Text);
  for (unsigned I = 0; !EC && I < Sites.size(); ++I)
    OS << I << ' ' << Sites[I].Function << ' ' << Sites[I].Size << ' ' << Sites[I].Values << '\n';
  OS.close();
  if (EC || OS.has_error())
    report_fatal_error("cannot write the site table to " + Twine(SitesFile) + ": " +
                           (EC ? EC : OS.error()).message(),
                       /*gen_crash_diag=*/false);
}

} // namespace migrated
