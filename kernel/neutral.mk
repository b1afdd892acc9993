# How C becomes neutral bitcode (docs/runtime-abi.md, "compile"): shared by the kernel's
# makefile and libc's. ROOT is the top of the repository.
LLVM ?= 19
CLANG := clang-$(LLVM)
OPT := opt-$(LLVM)
PLUGIN := $(ROOT)/build/lib/migrated-passes.so

NEUTRAL_TARGET := --target=riscv64-unknown-linux-musl -march=rv64gc -mabi=lp64d
# Passes stay off: the whole program is optimised at once, when it is linked.
NEUTRAL_CFLAGS := $(NEUTRAL_TARGET) -fsigned-char -O2 -Xclang -disable-llvm-passes -emit-llvm \
	-ffp-contract=off -gline-tables-only -fno-pic -ftls-model=local-exec \
	-fno-stack-protector -fno-unwind-tables -fno-asynchronous-unwind-tables \
	-fdebug-prefix-map=$(ROOT)/=

# The pass that marks a file as fit to migrate, and as part of the system: no polls in its
# loops. What the marks are depends on these sources alone.
CHECK := $(OPT) -load-pass-plugin=$(PLUGIN) -passes=migrated-check -migrated-system
CHECK_SOURCES := $(addprefix $(ROOT)/compiler/,check.cpp check.h strictfp.cpp math.cpp library.cpp)
