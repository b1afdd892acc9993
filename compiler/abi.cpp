#include "abi.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"

using namespace llvm;

namespace migrated::abi {

static FunctionCallee declare(Module &M, StringRef Name, Type *Result,
                              ArrayRef<Type *> Params) {
  return M.getOrInsertFunction(Name, FunctionType::get(Result, Params, false));
}

FunctionCallee pollSlow(Module &M) {
  return declare(M, PollSlowName, Type::getVoidTy(M.getContext()), {});
}

FunctionCallee pollGap(Module &M) {
  FunctionCallee Callee = declare(M, PollGapName, Type::getVoidTy(M.getContext()), {});
  cast<Function>(Callee.getCallee())->setDoesNotThrow();
  return Callee;
}

FunctionCallee stackOverflow(Module &M) {
  FunctionCallee Callee =
      declare(M, "__mig_stack_overflow", Type::getVoidTy(M.getContext()), {});
  auto *F = cast<Function>(Callee.getCallee());
  F->setDoesNotReturn();
  F->setDoesNotThrow();
  F->addFnAttr(Attribute::Cold);
  return Callee;
}

FunctionCallee saved(Module &M) {
  Type *I32 = Type::getInt32Ty(M.getContext());
  FunctionCallee Callee =
      declare(M, "__mig_saved", Type::getVoidTy(M.getContext()), {I32, I32});
  auto *F = cast<Function>(Callee.getCallee());
  F->setDoesNotReturn();
  F->addFnAttr(Attribute::Cold);
  return Callee;
}

FunctionCallee setjmp(Module &M) {
  LLVMContext &C = M.getContext();
  Type *Ptr = PointerType::getUnqual(C), *I32 = Type::getInt32Ty(C);
  FunctionCallee Callee =
      declare(M, SetjmpName, I32, {Ptr, Type::getInt64Ty(C), I32, Ptr});
  auto *F = cast<Function>(Callee.getCallee());
  F->addFnAttr(Attribute::ReturnsTwice);
  F->setDoesNotThrow();
  return Callee;
}

FunctionCallee longjmp(Module &M) {
  LLVMContext &C = M.getContext();
  FunctionCallee Callee =
      declare(M, LongjmpName, Type::getVoidTy(C),
              {PointerType::getUnqual(C), Type::getInt32Ty(C)});
  cast<Function>(Callee.getCallee())->setDoesNotReturn();
  return Callee;
}

Function *personality(Module &M) {
  FunctionType *T = FunctionType::get(Type::getInt32Ty(M.getContext()), true);
  return cast<Function>(
      M.getOrInsertFunction("__mig_personality", T).getCallee());
}

GlobalVariable *result(Module &M) {
  Type *Bytes = ArrayType::get(Type::getInt8Ty(M.getContext()), ResultSize);
  return cast<GlobalVariable>(M.getOrInsertGlobal("__mig_result", Bytes));
}

GlobalVariable *shadowTop(Module &M) {
  return cast<GlobalVariable>(M.getOrInsertGlobal(
      "__mig_ssp", PointerType::getUnqual(M.getContext())));
}

GlobalVariable *shadowLimit(Module &M) {
  return cast<GlobalVariable>(M.getOrInsertGlobal(
      "__mig_ssp_limit", PointerType::getUnqual(M.getContext())));
}

static GlobalVariable *define(Module &M, StringRef Name, Type *T) {
  auto *G = cast<GlobalVariable>(M.getOrInsertGlobal(Name, T));
  if (G->isDeclaration())
    G->setInitializer(Constant::getNullValue(T));
  return G;
}

GlobalVariable *frameCount(Module &M) {
  return define(M, "__mig_fid", Type::getInt64Ty(M.getContext()));
}

GlobalVariable *resumeRecord(Module &M) {
  return define(M, "__mig_resume_record", PointerType::getUnqual(M.getContext()));
}

GlobalVariable *resumeSite(Module &M) {
  return define(M, "__mig_resume_site", Type::getInt32Ty(M.getContext()));
}

} // namespace migrated::abi
