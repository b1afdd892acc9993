#include "diag.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Instruction.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace migrated {

// The file's name as it was given to clang. Of an absolute path clang keeps what lies below
// the directory that it shares with the compilation directory, so that is put back.
static std::string fileName(const DIFile *File, const DISubprogram *SP) {
  StringRef Name = File->getFilename(), Dir = File->getDirectory();
  const DICompileUnit *CU = SP ? SP->getUnit() : nullptr;
  if (sys::path::is_absolute(Name) || Dir.empty() || (CU && CU->getDirectory() == Dir))
    return Name.str();
  SmallString<256> Path(Dir);
  sys::path::append(Path, Name);
  return std::string(Path);
}

void Diagnostics::error(const Instruction &At, const Twine &Message) {
  const DILocation *Loc = At.getDebugLoc();
  const Function &F = *At.getFunction();
  if (!Loc && F.getSubprogram())
    return error(F, Message);
  if (!Loc)
    return error("in function '" + F.getName() + "': " + Message);
  std::string Place = fileName(Loc->getFile(), Loc->getScope()->getSubprogram());
  Place += ":" + std::to_string(Loc->getLine());
  if (Loc->getColumn())
    Place += ":" + std::to_string(Loc->getColumn());
  print(Place, Message);
}

void Diagnostics::error(const Function &At, const Twine &Message) {
  if (const DISubprogram *SP = At.getSubprogram())
    return print(fileName(SP->getFile(), SP) + ":" + Twine(SP->getLine()), Message);
  error(Message);
}

void Diagnostics::error(const Twine &Message) { print(M.getSourceFileName(), Message); }

void Diagnostics::print(const Twine &Place, const Twine &Message) {
  errs() << Place << ": error: " << Message << "\n";
  Errors++;
}

void Diagnostics::exitOnError() const {
  if (!Errors)
    return;
  sys::RunInterruptHandlers(); // removes the output file that opt has opened
  exit(1);
}

} // namespace migrated
