// Save pads: where a forced unwind enters a frame at a site, to write the frame's record.
//
// A pad alone would cost far more code than the call that it belongs to, so pads share: the
// stores of all sites of a function form a tree of blocks that run towards the root, which
// ends the pad. Values that are live at many sites are stored near the root. A pad enters the
// tree at the block from which the way to the root stores just its live values.
#include "abi.h"
#include "frame.h"

#include "llvm/ADT/MapVector.h"

using namespace llvm;

namespace migrated {

namespace {

class SaveTree {
public:
  explicit SaveTree(Frame &Fr) : Fr(Fr), F(Fr.F) {
    for (Site &S : Fr.Sites)
      for (Value *V : S.Live)
        ++Sites[V];
    unsigned N = 0;
    for (auto &[V, Count] : Sites)
      Order[V] = N++;
  }

  void build() {
    Root = newNode();
    for (Site &S : Fr.Sites)
      addPad(S);
    for (auto &[Key, N] : Nodes) {
      auto [Parent, V] = Key;
      IRBuilder<> B(N->Block);
      Fr.Record.store(B, V, N->Record);
      B.CreateBr(Parent->Block);
      Parent->Record->addIncoming(N->Record, N->Block);
      Parent->Site->addIncoming(N->Site, N->Block);
    }
    IRBuilder<> B(Root->Block);
    B.CreateCall(abi::saved(*F.getParent()), {Root->Site, B.getInt32(Fr.Record.size())});
    B.CreateUnreachable();
    for (std::unique_ptr<Node> &N : Owned)
      for (PHINode *Phi : {N->Record, N->Site})
        if (Phi->getNumIncomingValues() == 1) {
          Phi->replaceAllUsesWith(Phi->getIncomingValue(0));
          Phi->eraseFromParent();
        }
  }

private:
  struct Node {
    BasicBlock *Block;
    PHINode *Record, *Site;
  };

  Node *newNode() {
    LLVMContext &C = F.getContext();
    BasicBlock *BB = BasicBlock::Create(C, "save", &F);
    IRBuilder<> B(BB);
    PHINode *Record = B.CreatePHI(B.getPtrTy(), 2, "record");
    PHINode *Site = B.CreatePHI(B.getInt32Ty(), 2, "site");
    Owned.push_back(std::make_unique<Node>(Node{BB, Record, Site}));
    return Owned.back().get();
  }

  void addPad(const Site &S) {
    SmallVector<Value *> Path(S.Live);
    sort(Path, [&](Value *A, Value *B) {
      return std::tuple(-Sites[A], Order[A]) < std::tuple(-Sites[B], Order[B]);
    });
    Node *N = Root;
    for (Value *V : Path) {
      Node *&Child = Nodes[{N, V}];
      if (!Child)
        Child = newNode();
      N = Child;
    }
    // A landing pad of its own, without PHIs: copies for a PHI in a shared one would have to
    // stand on the unwind edge, where there is no place for them.
    BasicBlock *Pad = S.Call->getUnwindDest();
    IRBuilder<> B(Pad);
    LandingPadInst *Landing = B.CreateLandingPad(
        StructType::get(B.getPtrTy(), B.getInt32Ty()), 0);
    Landing->setCleanup(true);
    N->Record->addIncoming(B.CreateExtractValue(Landing, 0), Pad);
    N->Site->addIncoming(B.getInt32(S.Number), Pad);
    B.CreateBr(N->Block);
  }

  Frame &Fr;
  Function &F;
  MapVector<Value *, int> Sites; // at how many sites a value is live
  DenseMap<Value *, unsigned> Order;
  Node *Root = nullptr;
  MapVector<std::pair<Node *, Value *>, Node *> Nodes; // child of a node that stores a value
  std::vector<std::unique_ptr<Node>> Owned;
};

} // namespace

void buildSavePads(Frame &Fr) { SaveTree(Fr).build(); }

} // namespace migrated
