// The end of a build's optimisation: the program is cut into parts, whose code is generated side
// by side. Each part has neighbouring functions, so that linked in order the parts lie as the
// program would; optimisation has seen it whole.
#include "diag.h"
#include "front.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace migrated {

static cl::opt<unsigned> PartCount("migrated-parts", cl::init(1),
                                   cl::desc("migrated-parts: number of parts, the module's rest among them"));
static cl::opt<std::string> PartsDir("migrated-parts-dir",
                                     cl::desc("migrated-parts: where all parts but the first go, as N.bc"));

namespace {

// The parts of what a module defines.
class Parts {
public:
  Parts(Module &M, unsigned Count) {
    uint64_t Total = 1; // one more, so that the last middle lies before it
    for (Function &F : M)
      Total += F.getInstructionCount();
    uint64_t Before = 0;
    StringMap<unsigned> OfSection;
    for (Function &F : M) {
      if (F.isDeclaration())
        continue;
      uint64_t Size = F.getInstructionCount();
      unsigned Part = (Before + Size / 2) * Count / Total; // where its middle lies
      // What optimisation has specialised lies in the section of what it was made from.
      if (F.hasSection())
        Part = OfSection.try_emplace(F.getSection(), Part).first->second;
      Of[&F] = Part;
      Before += Size;
    }
    // A constant that a build has for itself, as a switch's table, goes where it is used.
    for (GlobalVariable &G : M.globals())
      if (!G.isDeclaration()) {
        unsigned User = G.hasLocalLinkage() ? soleUser(G) : None;
        Of[&G] = User == None ? 0 : User;
      }
    for (GlobalValue &G : M.global_values())
      if (G.hasLocalLinkage() && usedOutside(G, Of.lookup(&G)))
        share(G);
  }

  unsigned operator[](const GlobalValue *G) const { return Of.lookup(G); }

private:
  static constexpr unsigned None = ~0u;
  DenseMap<const GlobalValue *, unsigned> Of;

  // The part that an instruction or a variable with an initialiser belongs to; None for a
  // constant, whose users decide.
  unsigned partOf(const User &U) const {
    if (auto *I = dyn_cast<Instruction>(&U))
      return Of.lookup(I->getFunction());
    if (auto *G = dyn_cast<GlobalValue>(&U))
      return Of.lookup(G);
    return None;
  }

  bool usedOutside(const Value &V, unsigned Part) const {
    return any_of(V.users(), [&](const User *U) {
      unsigned P = partOf(*U);
      return P == None ? usedOutside(*U, Part) : P != Part;
    });
  }

  // The part whose functions alone use V; None if there is no such part.
  unsigned soleUser(const Value &V) const {
    unsigned Part = None;
    SmallVector<const User *> Users(V.users());
    while (!Users.empty()) {
      const User *U = Users.pop_back_val();
      if (isa<GlobalValue>(U))
        return None;
      unsigned P = partOf(*U);
      if (P == None)
        append_range(Users, U->users());
      else if (Part != None && Part != P)
        return None;
      else
        Part = P;
    }
    return Part;
  }

  static void share(GlobalValue &G) {
    if (!G.hasName())
      G.setName("anonymous");
    G.setLinkage(GlobalValue::ExternalLinkage);
    G.setVisibility(GlobalValue::HiddenVisibility);
  }
};

} // namespace

// Removes what a part neither defines nor refers to.
static void dropUnused(Module &M) {
  for (GlobalObject &G : make_early_inc_range(M.global_objects())) {
    G.removeDeadConstantUsers();
    if (G.isDeclaration() && G.use_empty())
      G.eraseFromParent();
  }
}

static void write(Module &M, unsigned Part, Diagnostics &Diag) {
  std::error_code Failed;
  raw_fd_ostream Out((PartsDir + "/" + Twine(Part) + ".bc").str(), Failed, sys::fs::OF_None);
  if (!Failed) {
    WriteBitcodeToFile(M, Out);
    Out.close();
    Failed = Out.error();
    Out.clear_error();
  }
  if (Failed)
    Diag.error("write part " + Twine(Part) + " to " + PartsDir + ": " + Failed.message());
}

bool isCut() { return PartCount > 1; }

void cutProgram(Module &M) {
  Diagnostics Diag(M);
  Parts P(M, PartCount);
  for (unsigned N = 1; N < PartCount; ++N) {
    ValueToValueMapTy Map;
    std::unique_ptr<Module> Part =
        CloneModule(M, Map, [&](const GlobalValue *G) { return P[G] == N; });
    dropUnused(*Part);
    write(*Part, N, Diag);
  }
  for (Function &F : M)
    if (!F.isDeclaration() && P[&F] != 0)
      F.deleteBody();
  for (GlobalVariable &G : M.globals())
    if (!G.isDeclaration() && P[&G] != 0) {
      G.setInitializer(nullptr);
      G.setLinkage(GlobalValue::ExternalLinkage);
    }
  dropUnused(M);
  Diag.exitOnError();
}

} // namespace migrated
