// Where the live values of a function lie in its frame records.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"

#include <string>

namespace migrated {

// A part of a value that is stored by itself: an integer of whole bytes, a float, a vector.
struct Leaf {
  llvm::SmallVector<unsigned, 2> Path; // indices for extractvalue; empty for a scalar
  llvm::Type *Type;                    // as in the value
  llvm::Type *Stored;                  // as in memory
  uint64_t Offset;                     // bytes from the value's start
};

// How a type lies in records and in __mig_result, the same in all builds: aggregates leaf by
// leaf, integers widened to 1, 2, 4 or a multiple of 8 bytes. Nullopt if it cannot be there.
struct StoredType {
  llvm::SmallVector<Leaf, 2> Leaves;
  uint64_t Size = 0, Align = 1;

  static std::optional<StoredType> of(llvm::Type *T);

  void store(llvm::IRBuilder<> &B, llvm::Value *V, llvm::Value *Base, uint64_t Offset) const;
  llvm::Value *load(llvm::IRBuilder<> &B, llvm::Type *T, llvm::Value *Base, uint64_t Offset,
                    const llvm::Twine &Name) const;
};

// One layout for all records of a function: a value lies at the same offset at each site
// where it is live, and shares it with values that are never live at the same site.
class RecordLayout {
public:
  using ValueSet = llvm::ArrayRef<llvm::Value *>;

  // Gives offsets to all values in Sites, each of which is live at one site. First, if any,
  // gets offset 0.
  void assign(llvm::ArrayRef<ValueSet> Sites, llvm::Value *First);

  uint64_t size() const { return Size; }
  uint64_t offset(const llvm::Value *V) const { return Offsets.lookup(V); } // bytes
  bool contains(const llvm::Value *V) const { return Offsets.contains(V); }
  llvm::SmallVector<llvm::Value *> values() const { return Values; }

  void store(llvm::IRBuilder<> &B, llvm::Value *V, llvm::Value *Record) const;
  llvm::Value *load(llvm::IRBuilder<> &B, llvm::Value *V, llvm::Value *Record) const;

  // "type@offset,type@offset" of the leaves of Live, in the order of their offsets.
  std::string describe(ValueSet Live) const;

private:
  llvm::DenseMap<const llvm::Value *, uint64_t> Offsets;
  llvm::SmallVector<llvm::Value *> Values;
  uint64_t Size = 0;
};

} // namespace migrated
