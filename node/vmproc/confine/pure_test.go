//go:build !cgo

package confine

const cannotConfine = ""
