// Thread-locals without a thread pointer of the machine: each becomes an offset into the block
// whose address is in __mig_tp. All blocks begin as a copy of __mig_tls_image.
#include "diag.h"
#include "front.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/ReplaceConstant.h"

using namespace llvm;

namespace migrated {

namespace {

// The block, as it grows.
class Block {
public:
  explicit Block(Module &M) : M(M) {}
  uint64_t add(const GlobalVariable &G); // returns its offset
  void define();                         // the three symbols

private:
  void constant(StringRef Name, Constant *Value, Align A);

  Module &M;
  SmallVector<Constant *, 16> Parts; // without gaps: padding is a part
  uint64_t Size = 0;
  Align Alignment = Align(16);
};

} // namespace

uint64_t Block::add(const GlobalVariable &G) {
  const DataLayout &DL = M.getDataLayout();
  Align A = std::max(G.getAlign().valueOrOne(), DL.getABITypeAlign(G.getValueType()));
  Alignment = std::max(Alignment, A);
  uint64_t Offset = alignTo(Size, A);
  if (Offset != Size)
    Parts.push_back(ConstantAggregateZero::get(
        ArrayType::get(Type::getInt8Ty(M.getContext()), Offset - Size)));
  Constant *Init = const_cast<Constant *>(G.getInitializer());
  Parts.push_back(Init);
  // A packed struct has no tail padding behind a part: the store size counts.
  Size = Offset + DL.getTypeAllocSize(Init->getType());
  return Offset;
}

void Block::define() {
  auto *I64 = Type::getInt64Ty(M.getContext());
  constant("__mig_tls_image", ConstantStruct::getAnon(M.getContext(), Parts, /*Packed=*/true),
           Alignment);
  constant("__mig_tls_size", ConstantInt::get(I64, Size), Align(8));
  constant("__mig_tls_align", ConstantInt::get(I64, Alignment.value()), Align(8));
}

void Block::constant(StringRef Name, Constant *Value, Align A) {
  GlobalVariable *Declared = M.getNamedGlobal(Name); // by the kernel's C
  auto *G = new GlobalVariable(M, Value->getType(), /*isConstant=*/true,
                               GlobalValue::ExternalLinkage, Value);
  if (Declared) {
    Declared->replaceAllUsesWith(G);
    Declared->eraseFromParent();
  }
  G->setName(Name);
  G->setAlignment(A);
}

static void rewriteUses(GlobalVariable &G, uint64_t Offset, GlobalVariable *ThreadPointer) {
  convertUsersOfConstantsToInstructions({&G});
  SmallVector<Use *, 16> Uses;
  for (Use &U : G.uses())
    Uses.push_back(&U);
  for (Use *U : Uses) {
    auto *User = cast<Instruction>(U->getUser());
    auto *Phi = dyn_cast<PHINode>(User);
    IRBuilder<> B(Phi ? Phi->getIncomingBlock(*U)->getTerminator() : User);
    Value *Address = B.CreateConstInBoundsGEP1_64(
        B.getInt8Ty(), B.CreateLoad(B.getPtrTy(), ThreadPointer), Offset, G.getName());
    auto *Call = dyn_cast<IntrinsicInst>(User);
    if (Call && Call->getIntrinsicID() == Intrinsic::threadlocal_address) {
      Call->replaceAllUsesWith(Address);
      Call->eraseFromParent();
    } else if (Phi) {
      // One value for each incoming block, however often that block is listed.
      for (unsigned I = 0; I < Phi->getNumIncomingValues(); I++)
        if (Phi->getIncomingBlock(I) == Phi->getIncomingBlock(*U) && Phi->getIncomingValue(I) == &G)
          Phi->setIncomingValue(I, Address);
    } else {
      U->set(Address);
    }
  }
}

void lowerThreadLocals(Module &M) {
  Diagnostics Diag(M);
  SmallVector<GlobalVariable *, 16> Variables;
  for (GlobalVariable &G : M.globals())
    if (G.isThreadLocal()) {
      if (G.isDeclaration())
        Diag.error("thread-local variable '" + G.getName() + "' is not defined");
      Variables.push_back(&G);
    }
  Diag.exitOnError();

  auto *ThreadPointer = cast<GlobalVariable>(
      M.getOrInsertGlobal("__mig_tp", PointerType::getUnqual(M.getContext())));
  Block TLS(M);
  for (GlobalVariable *G : Variables) {
    rewriteUses(*G, TLS.add(*G), ThreadPointer);
    G->eraseFromParent();
  }
  TLS.define();
}

} // namespace migrated
