// The numbered sites of an image.
#pragma once

#include "llvm/IR/Module.h"

#include <string>
#include <vector>

namespace migrated {

// Collects sites while frames are made portable; numbers follow from the order of the calls.
class SiteTable {
public:
  // Returns the number of the new site. Name is the function that it is in.
  unsigned add(const llvm::Function &F);

  void describe(unsigned Site, uint64_t Size, std::string Values);
  void setResume(unsigned Site, llvm::Function *Resume);

  // Defines __mig_sites, __mig_site_count and __mig_record_max.
  void emit(llvm::Module &M) const;

  // Writes the table as text to the file of -migrated-sites, if there is one.
  void write() const;

private:
  struct Site {
    std::string Function;
    uint64_t Size = 0; // of the record, bytes
    std::string Values;
    llvm::Function *Resume = nullptr;
  };
  std::vector<Site> Sites;
};

} // namespace migrated
