// The numbered sites of an image.
#pragma once

#include "llvm/IR/DebugLoc.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

#include <string>
#include <vector>

namespace migrated {

// Collects sites while frames are made portable; numbers follow from the order of the calls.
class SiteTable {
public:
  // Returns the number of the new site.
  unsigned add(const llvm::CallInst &Call);

  void describe(unsigned Site, uint64_t Size, std::string Values);
  void setResume(unsigned Site, llvm::Function *Resume);

  // Defines __mig_sites, __mig_site_count and __mig_record_max.
  void emit(llvm::Module &M) const;

  // Writes the table as text to the file of -migrated-sites, and where in the source each site is to
  // that of -migrated-lines, if there are these.
  void write() const;

private:
  struct Site {
    std::string Function;
    uint64_t Size = 0; // of the record, bytes
    std::string Values;
    llvm::Function *Resume = nullptr;
    llvm::DebugLoc At;
  };
  void writeTable(llvm::raw_ostream &OS) const;
  void writeLines(llvm::raw_ostream &OS) const;

  std::vector<Site> Sites;
};

} // namespace migrated
