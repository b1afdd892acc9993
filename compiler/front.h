// The steps before and after the core passes. Each changes a whole module; plugin.cpp gives
// each a pass name and puts them in order. docs/compiler.md says what each is for.
#pragma once

#include "llvm/IR/Module.h"

namespace migrated {

// Per source file.
void checkSource(llvm::Module &M);    // reports what cannot migrate, marks what can
void renameStatics(llvm::Module &M);  // static functions with names of the library's
void yieldToProgram(llvm::Module &M); // libc's definitions, to the program's of their names

// On the merged program, in this order.
void requireChecked(llvm::Module &M);        // refuses code that migrated-check has not seen
void retarget(llvm::Module &M);              // to the neutral target
void resolveAliases(llvm::Module &M);        // to what they stand for
void lowerConstructors(llvm::Module &M);     // to the arrays that libc walks
void joinSets(llvm::Module &M);              // what lies between __start_X and __stop_X to one
void internalise(llvm::Module &M);           // all but what native code names
void secludeProgram(llvm::Module &M);        // from being inlined into libc
void lowerIndirectBranches(llvm::Module &M); // computed gotos to switches
void lowerStrictFP(llvm::Module &M);         // to arithmetic that rounds to nearest
void lowerSourceMath(llvm::Module &M);       // what ISAs compute differently, to libc's functions
void lowerMath(llvm::Module &M);             // the same, and a*b+c to one operation or two
void lowerVariadics(llvm::Module &M);        // to a pointer to the arguments
void lowerThreadLocals(llvm::Module &M);     // to offsets in the block at __mig_tp
void holdLibrary(llvm::Module &M);           // library functions that optimisation may call

// Around the core passes, after optimisation.
void releaseLibrary(llvm::Module &M); // ends holdLibrary
void dropFastMath(llvm::Module &M);   // licences to compute differently in each build
void forgetLibrary(llvm::Module &M);  // what the optimiser knows from library functions' names
void pinGlobals(llvm::Module &M);     // linkage, alignment and section of all with an address

// Per build.
bool hasTarget();                 // whether the next one's options are given
void setTarget(llvm::Module &M);  // -migrated-triple, -migrated-datalayout
bool isCut();                     // whether there are more parts than one
void cutProgram(llvm::Module &M); // into -migrated-parts, when it is optimised

} // namespace migrated
