# Every target sets up what it needs: `make demo` and `make test` work on a fresh machine.
SHELL := /bin/bash
export PATH := $(CURDIR)/build/go/bin:$(PATH)
export CGO_ENABLED := 0

BIN := build/bin

.PHONY: all build setup plugin sysroot bin deb demo test test-long race fuzz bench proto clean

all: build

setup:
	@scripts/setup

# The compiler: pass plugin, musl and kernel as bitcode, native objects of each ISA.
plugin: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) -C compiler
sysroot: plugin
	@$(MAKE) --no-print-directory -C kernel
	@$(MAKE) --no-print-directory -C libc
	@mkdir -p build/sysroot/refused
	@for h in $(INTRINSICS); do cmp -s toolchain/refused.h build/sysroot/refused/$$h.h || \
		cp toolchain/refused.h build/sysroot/refused/$$h.h; done

# Clang's headers for one ISA, in whose place a program finds why they are not there.
INTRINSICS := immintrin x86intrin ammintrin mmintrin xmmintrin emmintrin pmmintrin tmmintrin smmintrin nmmintrin \
	wmmintrin arm_neon arm_sve arm_sme arm_neon_sve_bridge arm_acle arm_bf16 arm_fp16 arm_mve arm_cde arm_cmse

# Without gRPC's traces for a browser, a program is smaller by the templates and the HTTP server
# that they would need, and starts sooner.
TAGS := grpcnotrace
bin: setup
	@mkdir -p $(BIN)/arm64
	@go build -trimpath -tags $(TAGS) -o $(BIN)/ ./cmd/...
	@GOARCH=arm64 go build -trimpath -tags $(TAGS) -o $(BIN)/arm64/ ./cmd/migrated ./cmd/migratectl

build: sysroot bin

# Debian packages, in build/deb.
deb: build
	@packaging/deb

demo: build
	@go build -o build/demo/ ./testbed/demo && exec build/demo/demo

test: build
	go vet ./...
	go test -timeout 20m ./...

test-long: build race
	MIGRATED_LONG=1 go test -timeout 4h ./...
	scripts/fuzz 5m

# All that runs concurrently, under the race detector. That needs cgo, with which a VM's process
# cannot be confined: tests that start such processes of their own binary are skipped.
RACE := ./cmd/... ./image/... ./layout/... ./node/... ./statexfer/... ./testbed/cluster ./testbed/netns ./vmm/...
race: build
	CGO_ENABLED=1 go test -race -timeout 60m $(RACE)

# Each fuzz target by itself, for FUZZTIME.
FUZZTIME ?= 1m
fuzz: build
	@scripts/fuzz $(FUZZTIME)

bench: build
	@go build -o build/demo/ ./testbed/bench && exec build/demo/bench

# Regenerates the gRPC code; a test fails when it is stale.
proto: setup
	@$(MAKE) --no-print-directory -C proto

clean:
	rm -rf build
