//go:build !cgo

package vmproc

const cannotConfine = ""
