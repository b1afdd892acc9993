#include "sites.h"

#include "abi.h"

#include "llvm/ADT/UniqueVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace llvm;

namespace migrated {

static cl::opt<std::string> SitesFile("migrated-sites", cl::value_desc("file"),
                                      cl::desc("Write the site table to this file"));
static cl::opt<std::string> LinesFile("migrated-lines", cl::value_desc("file"),
                                      cl::desc("Write the source lines of sites to this file"));

unsigned SiteTable::add(const CallInst &Call) {
  Sites.push_back({Call.getFunction()->getName().str(), 0, "", nullptr, Call.getDebugLoc()});
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

void SiteTable::writeTable(raw_ostream &OS) const {
  for (unsigned I = 0; I < Sites.size(); ++I)
    OS << I << ' ' << Sites[I].Function << ' ' << Sites[I].Size << ' ' << Sites[I].Values << '\n';
}

// As debuggers put it together from a line table, and on one line.
static std::string pathOf(const DIFile &File) {
  std::string Path = File.getFilename().str();
  if (!sys::path::is_absolute(Path) && !File.getDirectory().empty())
    Path = (File.getDirectory() + "/" + Path).str();
  std::replace(Path.begin(), Path.end(), '\n', '?');
  return Path;
}

// Names, an empty line, and then for each site, from the function inlined innermost to the one that it
// is in: numbers of the names of function and file, from 1, and the line.
void SiteTable::writeLines(raw_ostream &OS) const {
  UniqueVector<std::string> Names; // which counts from 1
  std::string Lines;
  raw_string_ostream To(Lines);
  for (const Site &S : Sites) {
    StringRef Separator = "";
    for (const DILocation *L = S.At; L; L = L->getInlinedAt()) {
      To << Separator << Names.insert(L->getScope()->getSubprogram()->getName().str()) << ' '
         << Names.insert(pathOf(*L->getFile())) << ' ' << L->getLine();
      Separator = " ";
    }
    To << '\n';
  }
  for (const std::string &Name : Names)
    OS << Name << '\n';
  OS << '\n' << Lines;
}

static void writeFile(StringRef Path, function_ref<void(raw_ostream &)> Write) {
  if (Path.empty())
    return;
  std::error_code EC;
  raw_fd_ostream OS(Path, EC, sys::fs::OF_Text);
  if (!EC)
    Write(OS);
  OS.close();
  if (EC || OS.has_error())
    report_fatal_error("cannot write " + Twine(Path) + ": " + (EC ? EC : OS.error()).message(),
                       /*gen_crash_diag=*/false);
}

void SiteTable::write() const {
  writeFile(SitesFile, [&](raw_ostream &OS) { writeTable(OS); });
  writeFile(LinesFile, [&](raw_ostream &OS) { writeLines(OS); });
}

} // namespace migrated
