// migrated-check, run on each source file as clang leaves it: what cannot migrate is an error
// here, while the place in the source is known. What passes is marked, so that code which has
// not been through here can be refused at link time.
#include "check.h"
#include "diag.h"
#include "front.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/IntrinsicsRISCV.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace migrated {

static cl::opt<bool> System("migrated-system",
                            cl::desc("migrated-check: this file belongs to libc or the kernel"));

// Empty assembly stops the optimiser and emits nothing. Its operands must still be of a kind
// that each ISA has.
static bool isPortableBarrier(const CallBase &Call, const InlineAsm &Asm) {
  if (!StringRef(Asm.getAsmString()).trim().empty() || isa<CallBrInst>(Call))
    return false;
  for (const InlineAsm::ConstraintInfo &C : Asm.ParseConstraints()) {
    for (const std::string &Code : C.Codes) {
      if (C.Type == InlineAsm::isClobber) {
        if (Code != "{memory}" && Code != "{cc}")
          return false;
      } else if (Code.find_first_not_of("rmign0123456789X") != std::string::npos) {
        return false;
      }
    }
  }
  auto InRegister = [](Type *T) { return T->isIntegerTy() || T->isPointerTy(); };
  Type *Result = Call.getType();
  if (auto *S = dyn_cast<StructType>(Result)) {
    if (!all_of(S->elements(), InRegister))
      return false;
  } else if (!Result->isVoidTy() && !InRegister(Result)) {
    return false;
  }
  return all_of(Call.args(), [&](const Use &A) { return InRegister(A->getType()); });
}

// Why a call of an intrinsic function cannot migrate; empty if it can.
static StringRef refusal(Intrinsic::ID ID) {
  switch (ID) {
  case Intrinsic::frameaddress:
  case Intrinsic::addressofreturnaddress:
  case Intrinsic::sponentry:
    return "the address of a machine stack frame cannot migrate; take that of a local variable";
  case Intrinsic::returnaddress:
    return "a return address cannot migrate; pass what the caller wants known as an argument";
  case Intrinsic::read_register:
  case Intrinsic::read_volatile_register:
  case Intrinsic::write_register:
    return "a variable in a named register cannot migrate; make it an ordinary variable";
  case Intrinsic::thread_pointer:
    return "the machine's thread pointer cannot migrate; use a _Thread_local variable";
  case Intrinsic::readcyclecounter:
  case Intrinsic::readsteadycounter:
    return "a cycle counter cannot migrate; use clock_gettime";
  case Intrinsic::clear_cache:
  case Intrinsic::init_trampoline:
  case Intrinsic::adjust_trampoline:
    return "code made at run time cannot migrate; interpret it instead";
  case Intrinsic::set_rounding:
  case Intrinsic::set_fpenv:
  case Intrinsic::set_fpmode:
    return "a changed rounding mode cannot migrate; compute with round-to-nearest";
  case Intrinsic::eh_unwind_init:
  case Intrinsic::eh_dwarf_cfa:
  case Intrinsic::eh_return_i32:
  case Intrinsic::eh_return_i64:
  case Intrinsic::eh_sjlj_setjmp:
  case Intrinsic::eh_sjlj_longjmp:
    return "unwinding by hand cannot migrate; use setjmp and longjmp of <setjmp.h>";
  default:
    return "";
  }
}

namespace {

class Check {
public:
  explicit Check(Module &M) : M(M), Diag(M) {}
  void run();

private:
  void module();
  void function(Function &F);
  void instruction(Instruction &I);
  void call(CallBase &Call);
  bool portable(Type *T);

  Module &M;
  Diagnostics Diag;
};

} // namespace

void Check::run() {
  module();
  for (Function &F : M)
    if (!F.isDeclaration())
      function(F);
  Diag.exitOnError();
}

void Check::module() {
  if (Triple(M.getTargetTriple()).getArch() != Triple::riscv64)
    Diag.error("compiled for " + M.getTargetTriple() +
               ", not for the portable target; compile it with migratecc");
  if (!StringRef(M.getModuleInlineAsm()).trim().empty())
    Diag.error("assembly outside functions cannot migrate; write it in C");
  for (const GlobalIFunc &F : M.ifuncs()) {
    std::string Message = ("ifunc '" + F.getName() +
                           "' cannot migrate, as it is resolved once for one CPU; call through a "
                           "pointer or leave the choice to the compiler").str();
    if (const Function *Resolver = F.getResolverFunction()) // which has a line
      Diag.error(*Resolver, Message);
    else
      Diag.error(Message);
  }
  for (const GlobalVariable &G : M.globals())
    if (G.getAddressSpace() != 0)
      Diag.error("variable '" + G.getName() + "' lies in an address space of one ISA; "
                 "remove the attribute");
}

bool Check::portable(Type *T) {
  if (auto *P = dyn_cast<PointerType>(T))
    return P->getAddressSpace() == 0;
  if (T->isScalableTy() || T->isX86_FP80Ty() || T->isPPC_FP128Ty() || T->isX86_MMXTy() ||
      T->isX86_AMXTy() || T->isTargetExtTy())
    return false;
  return all_of(T->subtypes(), [this](Type *Sub) { return portable(Sub); });
}

// Inlined, such a frame is its callers' and taken at each call. printf's for a floating-point number
// has 7 KiB, which a signal stack of SIGSTKSZ has not.
static bool hasLargeFrame(const Function &F) {
  constexpr uint64_t Large = 1024; // bytes
  uint64_t Size = 0;
  for (const Instruction &I : instructions(F))
    if (auto *A = dyn_cast<AllocaInst>(&I); A && A->isStaticAlloca())
      Size += A->getAllocationSize(F.getDataLayout())->getFixedValue();
  return Size >= Large;
}

void Check::function(Function &F) {
  if (F.hasFnAttribute(Attribute::Naked) || F.hasFnAttribute("interrupt"))
    Diag.error(F, "function '" + F.getName() +
                      "' without an ordinary prologue cannot migrate; write it in C");
  if (F.hasPersonalityFn())
    Diag.error(F, "function '" + F.getName() +
                      "' handles exceptions, which is not supported; use -fno-exceptions");
  if (!portable(F.getFunctionType()))
    Diag.error(F, "function '" + F.getName() +
                      "' passes a type that only some CPUs have; use a vector of fixed size");
  for (Instruction &I : instructions(F))
    instruction(I);

  F.addFnAttr(CheckedAttr);
  if (System) {
    F.addFnAttr(SystemAttr);
    if (hasLargeFrame(F) && !F.hasFnAttribute(Attribute::AlwaysInline))
      F.addFnAttr(Attribute::NoInline);
  }
  // They name the CPU that stands in for the portable target, in each function again.
  for (StringRef A : {"target-cpu", "target-features", "tune-cpu"})
    F.removeFnAttr(A);
}

void Check::instruction(Instruction &I) {
  bool Types = portable(I.getType()) &&
               all_of(I.operands(), [this](const Use &U) { return portable(U->getType()); });
  if (auto *A = dyn_cast<AllocaInst>(&I))
    Types = Types && portable(A->getAllocatedType());
  if (!Types)
    Diag.error(I, "a type that only some CPUs have cannot migrate; use a vector of fixed size");
  if (auto *C = dyn_cast<CallBase>(&I))
    call(*C);
}

void Check::call(CallBase &Call) {
  if (auto *Asm = dyn_cast<InlineAsm>(Call.getCalledOperand())) {
    if (!isPortableBarrier(Call, *Asm))
      Diag.error(Call, "inline assembly cannot migrate; use C or a compiler builtin");
    return;
  }
  if (Call.isMustTailCall())
    Diag.error(Call, "a guaranteed tail call cannot migrate; remove the musttail attribute");
  const Function *F = Call.getCalledFunction();
  if (!F || !F->getName().starts_with("llvm."))
    return;
  if (F->isTargetIntrinsic() || F->getIntrinsicID() == Intrinsic::not_intrinsic) {
    Diag.error(Call, "intrinsic function '" + F->getName() +
                         "' of one ISA cannot migrate; use C or a vector extension of clang");
    return;
  }
  StringRef Why = refusal(F->getIntrinsicID());
  if (!Why.empty())
    Diag.error(Call, Why);
}

void checkSource(Module &M) {
  Check(M).run();
  // A string, because a reader finds it in the bitcode's bytes without parsing them.
  LLVMContext &C = M.getContext();
  M.getOrInsertNamedMetadata("migrated.units")
      ->addOperand(MDNode::get(
          C, {MDString::get(C, UnitMark), MDString::get(C, M.getSourceFileName())}));
}

} // namespace migrated
