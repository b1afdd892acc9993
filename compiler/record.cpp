#include "record.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace migrated {

// Records and __mig_result are this much aligned, and no value needs more.
constexpr uint64_t MaxAlign = 16;

static uint64_t widenedBits(uint64_t Bits) {
  return Bits <= 8 ? 8 : Bits <= 16 ? 16 : Bits <= 32 ? 32 : alignTo(Bits, 64);
}

// The type that a scalar or vector is stored as; null if it has no place in a record.
static Type *storedAs(Type *T) {
  LLVMContext &C = T->getContext();
  if (auto *V = dyn_cast<FixedVectorType>(T)) {
    // Lanes of whole bytes lie in order on both ISAs; others go through one integer.
    Type *Lane = V->getElementType();
    uint64_t Bits = Lane->getPrimitiveSizeInBits();
    if (Lane->isPointerTy())
      return Lane->getPointerAddressSpace() == 0 ? T : nullptr;
    if (!Lane->isIntegerTy() && !storedAs(Lane))
      return nullptr;
    return widenedBits(Bits) == Bits ? T
                                     : IntegerType::get(C, widenedBits(Bits * V->getNumElements()));
  }
  if (auto *I = dyn_cast<IntegerType>(T))
    return IntegerType::get(C, widenedBits(I->getBitWidth()));
  if (T->isPointerTy())
    return T->getPointerAddressSpace() == 0 ? T : nullptr;
  if (T->isHalfTy() || T->isBFloatTy() || T->isFloatTy() || T->isDoubleTy() || T->isFP128Ty())
    return T;
  return nullptr;
}

static uint64_t storedSize(Type *T) {
  if (auto *V = dyn_cast<FixedVectorType>(T))
    return V->getNumElements() * storedSize(V->getElementType());
  return T->isPointerTy() ? 8 : T->getPrimitiveSizeInBits() / 8;
}

static bool addLeaves(StoredType &S, Type *T, SmallVector<unsigned, 2> Path) {
  if (T->isStructTy() || T->isArrayTy()) {
    unsigned N = T->isStructTy() ? T->getStructNumElements() : T->getArrayNumElements();
    for (unsigned I = 0; I < N; ++I) {
      Path.push_back(I);
      if (!addLeaves(S, T->isStructTy() ? T->getStructElementType(I) : T->getArrayElementType(),
                     Path))
        return false;
      Path.pop_back();
    }
    return true;
  }
  Type *Stored = storedAs(T);
  if (!Stored)
    return false;
  uint64_t Size = storedSize(Stored), Align = std::min(PowerOf2Ceil(Size), MaxAlign);
  S.Size = alignTo(S.Size, Align);
  S.Leaves.push_back({Path, T, Stored, S.Size});
  S.Size += Size;
  S.Align = std::max(S.Align, Align);
  return true;
}

std::optional<StoredType> StoredType::of(Type *T) {
  StoredType S;
  if (!addLeaves(S, T, {}))
    return std::nullopt;
  return S;
}

static Value *address(IRBuilder<> &B, Value *Base, uint64_t Offset) {
  return Offset ? B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), Base, Offset) : Base;
}

// Accesses are volatile: neighbours in a record would have the vectoriser put into one vector what
// the program computes in its loops.
void StoredType::store(IRBuilder<> &B, Value *V, Value *Base, uint64_t Offset) const {
  for (const Leaf &L : Leaves) {
    Value *Part = L.Path.empty() ? V : B.CreateExtractValue(V, L.Path);
    if (L.Type != L.Stored) {
      if (L.Type->isVectorTy())
        Part = B.CreateBitCast(Part, B.getIntNTy(L.Type->getPrimitiveSizeInBits()));
      Part = B.CreateZExt(Part, L.Stored);
    }
    uint64_t At = Offset + L.Offset;
    B.CreateAlignedStore(Part, address(B, Base, At), commonAlignment(llvm::Align(MaxAlign), At),
                         /*isVolatile=*/true);
  }
}

Value *StoredType::load(IRBuilder<> &B, Type *T, Value *Base, uint64_t Offset,
                        const Twine &Name) const {
  Value *V = PoisonValue::get(T);
  for (const Leaf &L : Leaves) {
    uint64_t At = Offset + L.Offset;
    Value *Part = B.CreateAlignedLoad(L.Stored, address(B, Base, At),
                                      commonAlignment(llvm::Align(MaxAlign), At),
                                      /*isVolatile=*/true, Name);
    if (L.Type != L.Stored) {
      Part = B.CreateTrunc(Part, B.getIntNTy(L.Type->getPrimitiveSizeInBits()));
      Part = B.CreateBitCast(Part, L.Type);
    }
    V = L.Path.empty() ? Part : B.CreateInsertValue(V, Part, L.Path);
  }
  return V;
}

void RecordLayout::assign(ArrayRef<ValueSet> Sites, Value *First) {
  MapVector<Value *, BitVector> LiveAt;
  for (unsigned I = 0; I < Sites.size(); ++I)
    for (Value *V : Sites[I]) {
      BitVector &At = LiveAt[V];
      At.resize(Sites.size());
      At.set(I);
    }
  for (auto &[V, At] : LiveAt)
    Values.push_back(V);
  // What needs more alignment, then what is live at more sites, goes first: few gaps.
  auto Rank = [&](Value *V) {
    return std::tuple(V != First, -StoredType::of(V->getType())->Align, -LiveAt[V].count());
  };
  stable_sort(Values, [&](Value *A, Value *B) { return Rank(A) < Rank(B); });

  struct Range {
    uint64_t Begin, End;
    Value *V;
  };
  SmallVector<Range> Placed; // by Begin
  for (Value *V : Values) {
    StoredType S = *StoredType::of(V->getType());
    uint64_t Offset = 0;
    for (const Range &R : Placed) { // the first gap among those that are live with V
      if (R.V != First && !LiveAt[R.V].anyCommon(LiveAt[V]))
        continue;
      if (Offset + S.Size <= R.Begin)
        break;
      Offset = std::max(Offset, alignTo(R.End, S.Align));
    }
    Offsets[V] = Offset;
    Range New{Offset, Offset + S.Size, V};
    Placed.insert(upper_bound(Placed, New, [](auto &A, auto &B) { return A.Begin < B.Begin; }),
                  New);
    Size = std::max(Size, New.End);
  }
}

void RecordLayout::store(IRBuilder<> &B, Value *V, Value *Record) const {
  StoredType::of(V->getType())->store(B, V, Record, Offsets.lookup(V));
}

Value *RecordLayout::load(IRBuilder<> &B, Value *V, Value *Record) const {
  return StoredType::of(V->getType())
      ->load(B, V->getType(), Record, Offsets.lookup(V), V->getName());
}

std::string RecordLayout::describe(ValueSet Live) const {
  SmallVector<std::pair<uint64_t, Type *>> Leaves;
  for (Value *V : Live) {
    StoredType S = *StoredType::of(V->getType());
    for (const Leaf &L : S.Leaves)
      Leaves.push_back({Offsets.lookup(V) + L.Offset, L.Stored});
  }
  stable_sort(Leaves, [](auto &A, auto &B) { return A.first < B.first; });
  std::string Text;
  raw_string_ostream OS(Text);
  ListSeparator Comma(",");
  for (auto [Offset, T] : Leaves) {
    OS << Comma;
    if (auto *V = dyn_cast<FixedVectorType>(T))
      OS << V->getNumElements() << "x" << *V->getElementType();
    else
      OS << *T;
    OS << "@" << Offset;
  }
  return Text;
}

} // namespace migrated
