// What both kinds of resume functions share.
#include "abi.h"
#include "frame.h"

#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace migrated {

Function *declareResume(Function &F) {
  LLVMContext &C = F.getContext();
  auto *T = FunctionType::get(Type::getVoidTy(C),
                              {PointerType::getUnqual(C), Type::getInt32Ty(C)}, false);
  Function *R = Function::Create(T, GlobalValue::InternalLinkage, F.getName() + ".resume",
                                 F.getParent());
  R->getArg(0)->setName("record");
  R->getArg(1)->setName("site");
  R->setSection((".text.resume." + F.getName()).str());
  return R;
}

CallInst *callToResume(IRBuilder<> &B, Function &F) {
  SmallVector<Value *> Nothing;
  for (Argument &A : F.args())
    Nothing.push_back(PoisonValue::get(A.getType()));
  CallInst *Call = B.CreateCall(&F, Nothing);
  Call->setCallingConv(F.getCallingConv());
  for (unsigned I = 0; I < F.arg_size(); ++I) // how it is passed is part of the ABI
    if (Type *T = F.getParamStructRetType(I))
      Call->addParamAttr(I, Attribute::getWithStructRetType(F.getContext(), T));
  return Call;
}

void dropParameterPromises(Function &F) {
  AttributeMask Promises;
  for (Attribute::AttrKind K :
       {Attribute::NoUndef, Attribute::NonNull, Attribute::Dereferenceable,
        Attribute::DereferenceableOrNull, Attribute::Alignment, Attribute::Range,
        Attribute::NoAlias, Attribute::Returned, Attribute::Initializes})
    Promises.addAttribute(K);
  for (unsigned I = 0; I < F.arg_size(); ++I)
    F.removeParamAttrs(I, Promises);
  F.addFnAttr(Attribute::NoInline); // both entries belong to one frame
}

Value *loadResult(IRBuilder<> &B, Instruction &Call) {
  Type *T = Call.getType();
  return StoredType::of(T)->load(B, T, abi::result(*Call.getModule()), 0, Call.getName());
}

void storeResult(IRBuilder<> &B, Value *V) {
  Module &M = *B.GetInsertBlock()->getModule();
  StoredType::of(V->getType())->store(B, V, abi::result(M), 0);
}

} // namespace migrated
