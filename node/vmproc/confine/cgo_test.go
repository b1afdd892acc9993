//go:build cgo

package confine

// With cgo, as under the race detector, Go cannot make a system call on all threads.
const cannotConfine = "a program with cgo cannot be confined: the daemon is built without"
