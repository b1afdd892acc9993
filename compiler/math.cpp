// Floating point that is the same to the bit in all builds. Left alone are operations that IEEE
// 754 defines to the bit and every CPU level has as an instruction (x86-64-v2 on, armv8-a on):
// + - * /, conversions, sqrt, and rounding to an integer in floating point. The rest becomes a
// call of libc's function, the same code in all builds, or comparisons.
#include "check.h"
#include "diag.h"
#include "front.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

namespace migrated {

static cl::opt<bool>
    HardwareFMA("migrated-hardware-fma",
                cl::desc("the CPU level of each build has a fused multiply-add (x86-64-v3 on)"));
static cl::opt<bool>
    FuseMultiplyAdd("migrated-fuse",
                    cl::desc("a*b+c in one expression of the source is rounded once"));

// libc's function for double of an intrinsic function that becomes a call of it.
static StringRef functionOf(Intrinsic::ID ID) {
  switch (ID) {
  case Intrinsic::sin: return "sin";
  case Intrinsic::cos: return "cos";
  case Intrinsic::tan: return "tan";
  case Intrinsic::asin: return "asin";
  case Intrinsic::acos: return "acos";
  case Intrinsic::atan: return "atan";
  case Intrinsic::sinh: return "sinh";
  case Intrinsic::cosh: return "cosh";
  case Intrinsic::tanh: return "tanh";
  case Intrinsic::exp: return "exp";
  case Intrinsic::exp2: return "exp2";
  case Intrinsic::exp10: return "exp10";
  case Intrinsic::log: return "log";
  case Intrinsic::log2: return "log2";
  case Intrinsic::log10: return "log10";
  case Intrinsic::pow: return "pow";
  case Intrinsic::ldexp: return "ldexp";
  default: return "";
  }
}

// The same for operations that are exact, and instructions but for long double.
static StringRef exactFunctionOf(Intrinsic::ID ID) {
  switch (ID) {
  case Intrinsic::sqrt: return "sqrt";
  case Intrinsic::floor: return "floor";
  case Intrinsic::ceil: return "ceil";
  case Intrinsic::trunc: return "trunc";
  case Intrinsic::rint: return "rint";
  case Intrinsic::nearbyint: return "nearbyint";
  case Intrinsic::round: return "round";
  case Intrinsic::roundeven: return "rint"; // which rounds as the mode says, always to even
  default: return "";
  }
}

// Whether a call is one of libc's fma: a program's own, or what became one when its file was
// compiled, before it was known which builds there will be.
static bool isFMA(const CallInst &Call) {
  const Function *F = Call.getCalledFunction();
  return F && (F->getName() == "fma" || F->getName() == "fmaf") && !Call.isNoBuiltin() &&
         (F->isDeclaration() || F->hasFnAttribute(SystemAttr)) && Call.arg_size() == 3 &&
         all_of(Call.args(), [&](const Use &A) { return A->getType() == Call.getType(); });
}

// Whether each CPU with a fused multiply-add has it for this type.
static bool hasFMA(Type *T) {
  T = T->getScalarType();
  return T->isFloatTy() || T->isDoubleTy();
}

namespace {

class Lowering {
public:
  // Decided: it is known which builds there will be.
  Lowering(Function &F, bool Decided) : F(F), B(F.getContext()), Decided(Decided) {}
  void run();

private:
  Value *lower(Instruction &I);
  Value *remainder(Value *X, Value *Y);
  Value *fused(Type *T, ArrayRef<Value *> Args);
  Value *minMax(bool Min, Value *X, Value *Y);
  Value *toInteger(Intrinsic::ID Round, Value *X, Type *T);
  Value *exact(Intrinsic::ID ID, Value *X);
  Value *split(IntrinsicInst &Call);
  Value *call(StringRef Double, ArrayRef<Value *> Args);
  Value *byElement(Type *T, ArrayRef<Value *> Args,
                   function_ref<Value *(ArrayRef<Value *>)> Scalar);

  Function &F;
  IRBuilder<> B;
  bool Decided;
};

} // namespace

void Lowering::run() {
  for (Instruction &I : make_early_inc_range(instructions(F))) {
    B.SetInsertPoint(&I);
    B.clearFastMathFlags();
    if (isa<FPMathOperator>(I))
      B.setFastMathFlags(I.getFastMathFlags());
    if (Value *V = lower(I)) {
      V->takeName(&I);
      I.replaceAllUsesWith(V);
      I.eraseFromParent();
    }
  }
}

// The value in I's place, or null if I stays.
Value *Lowering::lower(Instruction &I) {
  if (I.getOpcode() == Instruction::FRem)
    return remainder(I.getOperand(0), I.getOperand(1));
  if (auto *Libc = dyn_cast<CallInst>(&I); Libc && HardwareFMA && isFMA(*Libc))
    return fused(I.getType(), SmallVector<Value *, 3>(Libc->args()));
  auto *Call = dyn_cast<IntrinsicInst>(&I);
  if (!Call)
    return nullptr;
  Intrinsic::ID ID = Call->getIntrinsicID();
  SmallVector<Value *, 3> Args(Call->args());
  switch (ID) {
  case Intrinsic::fmuladd: // fused or not, as all builds please
    if (FuseMultiplyAdd && hasFMA(I.getType()))
      return fused(I.getType(), Args);
    if (!Decided && hasFMA(I.getType()))
      return nullptr;
    return B.CreateFAdd(B.CreateFMul(Args[0], Args[1]), Args[2]);
  case Intrinsic::fma:
    return HardwareFMA && hasFMA(I.getType()) ? nullptr : fused(I.getType(), Args);
  case Intrinsic::minnum:
  case Intrinsic::maxnum:
    return minMax(ID == Intrinsic::minnum, Args[0], Args[1]);
  case Intrinsic::lrint:
  case Intrinsic::llrint:
    return toInteger(Intrinsic::rint, Args[0], I.getType());
  case Intrinsic::lround:
  case Intrinsic::llround:
    return toInteger(Intrinsic::round, Args[0], I.getType());
  case Intrinsic::frexp:
    return split(*Call);
  case Intrinsic::get_rounding:
    return ConstantInt::get(I.getType(), 1); // to nearest: C23 5.2.5.3.3, FLT_ROUNDS
  default:
    break;
  }
  if (!exactFunctionOf(ID).empty())
    return I.getType()->getScalarType()->isFP128Ty() ? exact(ID, Args[0]) : nullptr;
  StringRef Name = functionOf(ID);
  if (Name.empty())
    return nullptr;
  return byElement(I.getType(), Args, [&](ArrayRef<Value *> A) { return call(Name, A); });
}

Value *Lowering::remainder(Value *X, Value *Y) {
  return byElement(X->getType(), {X, Y}, [&](ArrayRef<Value *> A) { return call("fmod", A); });
}

// The instruction where every build has it, else libc's function.
Value *Lowering::fused(Type *T, ArrayRef<Value *> Args) {
  if (HardwareFMA && hasFMA(T))
    return B.CreateIntrinsic(T, Intrinsic::fma, Args);
  return byElement(T, Args, [&](ArrayRef<Value *> A) { return call("fma", A); });
}

// C23 7.12.12: a NaN counts as missing. Which zero is the lesser is left open there, and
// instructions differ in it; here the second is returned.
Value *Lowering::minMax(bool Min, Value *X, Value *Y) {
  Value *First = Min ? B.CreateFCmpOLT(X, Y) : B.CreateFCmpOGT(X, Y);
  Value *Other = B.CreateSelect(First, X, Y);
  return B.CreateSelect(B.CreateFCmpUNO(Y, Y), X, Other);
}

Value *Lowering::toInteger(Intrinsic::ID Round, Value *X, Type *T) {
  bool Long = X->getType()->getScalarType()->isFP128Ty();
  Value *Rounded = Long ? exact(Round, X) : B.CreateUnaryIntrinsic(Round, X);
  return B.CreateFPToSI(Rounded, T);
}

Value *Lowering::exact(Intrinsic::ID ID, Value *X) {
  return byElement(X->getType(), {X},
                   [&](ArrayRef<Value *> A) { return call(exactFunctionOf(ID), A); });
}

// frexp's results as a pair, where libc's function stores the second.
Value *Lowering::split(IntrinsicInst &Call) {
  Type *Pair = Call.getType();
  IRBuilder<> Entry(&*F.getEntryBlock().begin());
  AllocaInst *Exponent = Entry.CreateAlloca(B.getInt32Ty(), nullptr, "exponent");
  Value *Fraction = call("frexp", {Call.getArgOperand(0), Exponent});
  Value *Loaded = B.CreateIntCast(B.CreateLoad(B.getInt32Ty(), Exponent),
                                  Pair->getStructElementType(1), /*isSigned=*/true);
  Value *First = B.CreateInsertValue(PoisonValue::get(Pair), Fraction, 0);
  return B.CreateInsertValue(First, Loaded, 1);
}

// Calls libc's function for the type of the first argument: sin, sinf, sinl. A half-precision
// number is computed with as a float.
Value *Lowering::call(StringRef Double, ArrayRef<Value *> Args) {
  Type *T = Args[0]->getType();
  Type *As = T->isHalfTy() || T->isBFloatTy() ? B.getFloatTy() : T;
  std::string Name = Double.str();
  if (As->isFloatTy())
    Name += "f";
  else if (As->isFP128Ty())
    Name += "l";
  SmallVector<Value *, 3> Converted;
  SmallVector<Type *, 3> Types;
  for (Value *A : Args) {
    Converted.push_back(A->getType() == T ? B.CreateFPCast(A, As) : A);
    Types.push_back(Converted.back()->getType());
  }
  FunctionCallee Callee =
      F.getParent()->getOrInsertFunction(Name, FunctionType::get(As, Types, false));
  CallInst *Result = B.CreateCall(Callee, Converted);
  // So it was promised by whoever made it an intrinsic function: no errno, no flags.
  if (none_of(Types, [](Type *P) { return P->isPointerTy(); })) {
    Result->setDoesNotAccessMemory();
    Result->addFnAttr(Attribute::WillReturn);
  }
  return B.CreateFPCast(Result, T);
}

Value *Lowering::byElement(Type *T, ArrayRef<Value *> Args,
                           function_ref<Value *(ArrayRef<Value *>)> Scalar) {
  auto *Vector = dyn_cast<FixedVectorType>(T);
  if (!Vector)
    return Scalar(Args);
  Value *Result = PoisonValue::get(T);
  for (unsigned I = 0; I < Vector->getNumElements(); I++) {
    SmallVector<Value *, 3> Elements;
    for (Value *A : Args)
      Elements.push_back(A->getType()->isVectorTy() ? B.CreateExtractElement(A, I) : A);
    Result = B.CreateInsertElement(Result, Scalar(Elements), I);
  }
  return Result;
}

static void lower(Module &M, bool Decided) {
  for (Function &F : M)
    if (!F.isDeclaration())
      Lowering(F, Decided).run();
}

void lowerMath(Module &M) { lower(M, true); }
void lowerSourceMath(Module &M) { lower(M, false); }

// Licences to reassociate, to contract, to take NaNs as absent: neutral optimisation has used
// them, for all builds alike. A build of its own must not.
void dropFastMath(Module &M) {
  for (Function &F : M)
    for (Instruction &I : instructions(F)) {
      if (isa<FPMathOperator>(I))
        I.copyFastMathFlags(FastMathFlags());
      I.setMetadata(LLVMContext::MD_fpmath, nullptr);
    }
}

} // namespace migrated
