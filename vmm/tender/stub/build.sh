#!/bin/sh
# Assembles the stubs into the checked-in .bin files that ../stub.go embeds.
# usage: build.sh [OUTPUT-DIR]
set -eu
cd "$(dirname "$0")"
out=${1:-.}
object=$(mktemp)
trap 'rm -f "$object"' EXIT
for isa in x86_64 aarch64; do
	clang-19 --target=$isa-linux-gnu -c -o "$object" stub_$isa.S
	for part in start gate; do
		llvm-objcopy-19 -O binary -j .$part "$object" "$out/${part}_$isa.bin"
	done
done
