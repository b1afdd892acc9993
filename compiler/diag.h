// Errors in the user's program, worded and placed like a compiler's.
#pragma once

#include "llvm/ADT/Twine.h"
#include "llvm/IR/Module.h"

namespace migrated {

// A pass reports all that it finds and then calls exitOnError.
class Diagnostics {
public:
  explicit Diagnostics(const llvm::Module &M) : M(M) {}

  // "file.c:12:5: error: <What> cannot migrate; <Remedy>", as far as the place is known.
  void error(const llvm::Instruction &At, const llvm::Twine &Message);
  void error(const llvm::Function &At, const llvm::Twine &Message);
  void error(const llvm::Twine &Message); // about the whole file

  // Ends opt with status 1 and without an output file, if there was an error.
  void exitOnError() const;

private:
  void print(const llvm::Twine &Place, const llvm::Twine &Message);

  const llvm::Module &M;
  unsigned Errors = 0;
};

} // namespace migrated
