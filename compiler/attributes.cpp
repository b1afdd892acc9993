#include "attributes.h"

#include "llvm/IR/Function.h"

using namespace llvm;

namespace migrated {

constexpr Attribute::AttrKind OfFunctions[] = {
    Attribute::Memory,       Attribute::NoCallback, Attribute::NoFree,      Attribute::NoRecurse,
    Attribute::NoSync,       Attribute::NoUnwind,   Attribute::Speculatable, Attribute::WillReturn,
    Attribute::MustProgress,
};

constexpr Attribute::AttrKind OfParameters[] = {
    Attribute::DeadOnUnwind, Attribute::NoCapture, Attribute::NoFree,   Attribute::ReadNone,
    Attribute::ReadOnly,     Attribute::WriteOnly, Attribute::Writable,
};

void dropFalseAttributes(Function &F) {
  for (Attribute::AttrKind K : OfFunctions)
    F.removeFnAttr(K);
  for (unsigned I = 0; I < F.arg_size(); ++I)
    for (Attribute::AttrKind K : OfParameters)
      F.removeParamAttr(I, K);
}

void dropFalseAttributes(CallBase &CB) {
  for (Attribute::AttrKind K : OfFunctions)
    CB.removeFnAttr(K);
  for (unsigned I = 0; I < CB.arg_size(); ++I)
    for (Attribute::AttrKind K : OfParameters)
      CB.removeParamAttr(I, K);
}

} // namespace migrated
