// What both kinds of resume functions share.
#include "abi.h"
#include "frame.h"

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

Value *loadResult(IRBuilder<> &B, Instruction &Call) {
  Type *T = Call.getType();
  return StoredType::of(T)->load(B, T, abi::result(*Call.getModule()), 0, Call.getName());
}

void storeResult(IRBuilder<> &B, Value *V) {
  Module &M = *B.GetInsertBlock()->getModule();
  StoredType::of(V->getType())->store(B, V, abi::result(M), 0);
}

} // namespace migrated
