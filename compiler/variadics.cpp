// Variadic functions, whose calling convention differs most between ISAs. `f(a, ...)` becomes
// `f(a, ptr args)`: the caller stores the arguments in 8-byte slots, as va_arg of the neutral
// ABI (RISC-V ELF psABI, LP64D, "Variadic arguments") reads them; va_list is that pointer.
#include "diag.h"
#include "front.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace migrated {

namespace {

class Variadics {
public:
  explicit Variadics(Module &M) : M(M), Diag(M), DL(M.getDataLayout()) {}
  void run();

private:
  void lowerDefinition(Function &F);
  void lowerLists(Function &F);
  void lowerArg(VAArgInst &Arg);
  void lowerCalls(Function &F);
  unsigned fixedArgs(const CallBase &Call, bool &Variadic) const;
  void lowerCall(CallInst &Call, AllocaInst *Area, uint64_t &AreaSize);
  uint64_t storeArgs(CallInst &Call, unsigned First, AllocaInst *Area);
  Constant *noArgs();

  Module &M;
  Diagnostics Diag;
  const DataLayout &DL;
  DenseMap<Function *, unsigned> Fixed;   // lowered functions: how many fixed arguments
  DenseSet<FunctionType *> PointedTo;     // types of those whose address is taken
  GlobalVariable *NoArgs = nullptr;
};

constexpr uint64_t Slot = 8; // bytes

// What a callee may take that was not passed, as in fcntl(fd, F_GETFL): musl's syscall() takes
// six arguments always. Machines have registers for them; here, too, there is something.
constexpr uint64_t Least = 6 * Slot;

} // namespace

void Variadics::run() {
  SmallVector<Function *, 32> Definitions;
  for (Function &F : M)
    if (F.isVarArg() && !F.isDeclaration())
      Definitions.push_back(&F);
  for (Function *F : Definitions)
    lowerDefinition(*F);
  for (Function &F : M)
    if (!F.isDeclaration()) {
      lowerLists(F);
      lowerCalls(F);
    }
  Diag.exitOnError();
}

void Variadics::lowerDefinition(Function &F) {
  if (F.hasExternalLinkage())
    Diag.error(F, "variadic function '" + F.getName() + "' cannot be called by native code; "
                  "have it take a va_list");
  if (F.hasAddressTaken())
    PointedTo.insert(F.getFunctionType());
  SmallVector<Type *, 8> Params(F.getFunctionType()->params());
  Params.push_back(PointerType::getUnqual(M.getContext()));
  auto *New = Function::Create(FunctionType::get(F.getReturnType(), Params, false), F.getLinkage(),
                               F.getAddressSpace());
  M.getFunctionList().insert(F.getIterator(), New);
  New->copyAttributesFrom(&F);
  New->splice(New->begin(), &F);
  for (Argument &A : F.args()) {
    Argument *NewArg = New->getArg(A.getArgNo());
    A.replaceAllUsesWith(NewArg);
    NewArg->takeName(&A);
  }
  Argument *Args = New->getArg(F.arg_size());
  Args->setName("args");
  New->takeName(&F);
  New->copyMetadata(&F, 0);
  New->removeFnAttr(Attribute::Memory); // it reads its arguments from memory now
  Fixed[New] = F.arg_size();
  F.replaceAllUsesWith(New);
  F.eraseFromParent();

  for (Instruction &I : make_early_inc_range(instructions(*New)))
    if (auto *Start = dyn_cast<VAStartInst>(&I)) {
      IRBuilder<>(Start).CreateStore(Args, Start->getArgList());
      Start->eraseFromParent();
    }
}

// va_copy, va_end and va_arg, also of lists that were passed on.
void Variadics::lowerLists(Function &F) {
  for (Instruction &I : make_early_inc_range(instructions(F))) {
    if (auto *Copy = dyn_cast<VACopyInst>(&I)) {
      IRBuilder<> B(Copy);
      B.CreateStore(B.CreateLoad(B.getPtrTy(), Copy->getSrc()), Copy->getDest());
      Copy->eraseFromParent();
    } else if (isa<VAEndInst>(&I)) {
      I.eraseFromParent();
    } else if (auto *Arg = dyn_cast<VAArgInst>(&I)) {
      lowerArg(*Arg);
    }
  }
}

void Variadics::lowerArg(VAArgInst &Arg) {
  IRBuilder<> B(&Arg);
  Value *Next = B.CreateLoad(B.getPtrTy(), Arg.getPointerOperand());
  if (DL.getABITypeAlign(Arg.getType()) > Align(Slot)) {
    Value *Up = B.CreateConstGEP1_64(B.getInt8Ty(), Next, 15);
    Next = B.CreateIntrinsic(Intrinsic::ptrmask, {B.getPtrTy(), B.getInt64Ty()},
                             {Up, B.getInt64(-16)});
  }
  uint64_t Size = alignTo(DL.getTypeAllocSize(Arg.getType()), Slot);
  B.CreateStore(B.CreateConstGEP1_64(B.getInt8Ty(), Next, Size), Arg.getPointerOperand());
  Align A = std::min(Align(16), DL.getABITypeAlign(Arg.getType()));
  Value *V = B.CreateAlignedLoad(Arg.getType(), Next, A);
  V->takeName(&Arg);
  Arg.replaceAllUsesWith(V);
  Arg.eraseFromParent();
}

void Variadics::lowerCalls(Function &F) {
  SmallVector<CallInst *, 16> Calls;
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallInst>(&I);
        Call && Call->getFunctionType()->isVarArg() && !isa<IntrinsicInst>(Call))
      Calls.push_back(Call);
  if (Calls.empty())
    return;
  // One area for all calls: each has stored its arguments only once all of them are known.
  IRBuilder<> B(&*F.getEntryBlock().begin());
  AllocaInst *Area = B.CreateAlloca(B.getInt8Ty(), nullptr, "va.area");
  uint64_t Size = 0;
  for (CallInst *Call : Calls)
    lowerCall(*Call, Area, Size);
  Area->setAllocatedType(ArrayType::get(B.getInt8Ty(), Size));
  Area->setAlignment(Align(16));
  if (Area->use_empty())
    Area->eraseFromParent();
}

// How many arguments are passed as such, and whether the callee is variadic at all. It is not
// if it was declared without a prototype, `int f();`: clang calls such functions as variadic
// ones of which every argument is fixed.
unsigned Variadics::fixedArgs(const CallBase &Call, bool &Variadic) const {
  FunctionType *Type = Call.getFunctionType();
  unsigned Passed = Call.arg_size();
  if (auto *Callee = dyn_cast<Function>(Call.getCalledOperand()->stripPointerCasts())) {
    auto Known = Fixed.find(const_cast<Function *>(Callee));
    Variadic = Known != Fixed.end();
    return Variadic ? std::min(Known->second, Passed) : Passed;
  }
  // Through a pointer nothing but the type tells the two apart.
  Variadic = Type->getNumParams() < Passed ? Type->getNumParams() > 0 : PointedTo.contains(Type);
  return Variadic ? Type->getNumParams() : Passed;
}

void Variadics::lowerCall(CallInst &Call, AllocaInst *Area, uint64_t &AreaSize) {
  auto *Callee = Call.getCalledFunction();
  if (Callee && Callee->isDeclaration() && Callee->isVarArg() && Callee->arg_size() > 0 &&
      !Callee->hasExternalWeakLinkage())
    return Diag.error(Call, "variadic function '" + Callee->getName() +
                                "' is not part of the program");
  bool Variadic;
  unsigned NumFixed = fixedArgs(Call, Variadic);
  AttributeList Attrs = Call.getAttributes();
  SmallVector<Value *, 8> Args;
  SmallVector<Type *, 8> Types;
  SmallVector<AttributeSet, 8> ArgAttrs;
  for (unsigned I = 0; I < NumFixed; I++) {
    Args.push_back(Call.getArgOperand(I));
    Types.push_back(Args.back()->getType());
    ArgAttrs.push_back(Attrs.getParamAttrs(I));
  }
  IRBuilder<> B(&Call);
  if (Variadic) {
    uint64_t Used = storeArgs(Call, NumFixed, Area);
    AreaSize = std::max({AreaSize, Used, Least});
    Args.push_back(Used ? static_cast<Value *>(Area) : noArgs());
    Types.push_back(B.getPtrTy());
    ArgAttrs.emplace_back();
  }
  CallInst *New = B.CreateCall(FunctionType::get(Call.getType(), Types, false),
                               Call.getCalledOperand(), Args);
  New->setAttributes(
      AttributeList::get(M.getContext(), Attrs.getFnAttrs(), Attrs.getRetAttrs(), ArgAttrs));
  if (Variadic)
    New->removeFnAttr(Attribute::Memory);
  New->setCallingConv(Call.getCallingConv());
  New->copyMetadata(Call);
  New->takeName(&Call);
  Call.replaceAllUsesWith(New);
  Call.eraseFromParent();
}

// Stores the arguments from First on, and returns the bytes that they take.
uint64_t Variadics::storeArgs(CallInst &Call, unsigned First, AllocaInst *Area) {
  IRBuilder<> B(&Call);
  uint64_t Offset = 0;
  for (unsigned I = First; I < Call.arg_size(); I++) {
    Value *V = Call.getArgOperand(I);
    if (Call.isByValArgument(I))
      Diag.error(Call, "an argument passed as a copy on the stack of one ISA cannot migrate; "
                       "compile this file with migratecc");
    if (V->getType()->isIntegerTy() && V->getType()->getIntegerBitWidth() < 64)
      V = Call.paramHasAttr(I, Attribute::ZExt) ? B.CreateZExt(V, B.getInt64Ty())
                                                : B.CreateSExt(V, B.getInt64Ty());
    Align A = DL.getABITypeAlign(V->getType()) > Align(Slot) ? Align(16) : Align(Slot);
    Offset = alignTo(Offset, A);
    B.CreateAlignedStore(V, B.CreateConstInBoundsGEP1_64(B.getInt8Ty(), Area, Offset), A);
    Offset += alignTo(DL.getTypeAllocSize(V->getType()), Slot);
  }
  return Offset;
}

Constant *Variadics::noArgs() {
  if (!NoArgs) {
    auto *Type = ArrayType::get(Type::getInt8Ty(M.getContext()), Least);
    NoArgs = new GlobalVariable(M, Type, true, GlobalValue::InternalLinkage,
                                ConstantAggregateZero::get(Type), "va.none");
    NoArgs->setAlignment(Align(16));
  }
  return NoArgs;
}

void lowerVariadics(Module &M) { Variadics(M).run(); }

} // namespace migrated
