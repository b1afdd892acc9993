package userfault_test

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm/kvm/kvmtest"
	"github.com/migrated/migrated/vmm/userfault"
)

const pages = 64

// area returns memory with an area over it.
func area(t *testing.T) ([]byte, *userfault.Area) {
	t.Helper()
	mem, err := unix.Mmap(-1, 0, pages*userfault.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	check(t, err)
	t.Cleanup(func() { unix.Munmap(mem) })
	mem[5*userfault.PageSize] = 5 // is there already
	a := kvmtest.Userfault(t)
	if a == nil {
		t.Skip("without userfaultfd")
	}
	check(t, a.Watch(mem))
	return mem, a
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func page(n byte) []byte { return bytes.Repeat([]byte{n}, userfault.PageSize) }

func TestPlace(t *testing.T) {
	mem, a := area(t)
	defer a.Close()
	if ok, err := a.Copy(7, append(page(7), page(8)...)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := a.Zero(9, 3); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, there := range []uint64{5, 7, 9} {
		if ok, err := a.Copy(there, page(1)); ok || err != nil {
			t.Errorf("page %d was replaced: %v", there, err)
		}
	}
	if ok, err := a.Copy(3, bytes.Repeat(page(3), 4)); ok || err != nil { // 3 and 4 come, 5 is there
		t.Fatal(ok, err)
	}
	check(t, userfault.Drop(mem, 10, 2))
	if ok, err := a.Copy(11, page(11)); !ok || err != nil { // 10 stays missing
		t.Fatal(ok, err)
	}
	want := map[int]byte{3: 3, 4: 3, 5: 5, 7: 7, 8: 8, 9: 0, 11: 11}
	for n, b := range want {
		if mem[n*userfault.PageSize] != b {
			t.Errorf("page %d holds %d, want %d", n, mem[n*userfault.PageSize], b)
		}
	}
}

// An area that watches nothing any more can watch other memory, and tells of its faults alone.
func TestUnwatch(t *testing.T) {
	_, a := area(t)
	defer a.Close()
	ended := make(chan error)
	go func() {
		_, err := a.Fault()
		ended <- err
	}()
	check(t, a.Unwatch())
	if err := <-ended; !errors.Is(err, userfault.ErrClosed) {
		t.Errorf("a wait for faults ends with %v", err)
	}
	if _, err := a.Fault(); !errors.Is(err, userfault.ErrClosed) {
		t.Errorf("a wait that begins then: %v", err)
	}
	check(t, a.Unwatch())
	other, err := unix.Mmap(-1, 0, pages*userfault.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	check(t, err)
	t.Cleanup(func() { unix.Munmap(other) })
	check(t, a.Watch(other))
	fd, err := unix.MemfdCreate("userfault test", unix.MFD_CLOEXEC)
	check(t, err)
	defer unix.Close(fd)
	go func() {
		_, err := unix.Write(fd, other[30*userfault.PageSize:][:50])
		ended <- err
	}()
	if n, err := a.Fault(); n != 30 || err != nil {
		t.Fatalf("page %d, %v", n, err)
	}
	if ok, err := a.Copy(30, page(30)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	check(t, <-ended)
}

// The kernel touches the memory on our behalf, as KVM does for a guest. (Go's own code must
// not touch a missing page: its scheduler does not know that the thread waits.)
func TestFaultWaits(t *testing.T) {
	mem, a := area(t)
	fd, err := unix.MemfdCreate("userfault test", unix.MFD_CLOEXEC)
	check(t, err)
	defer unix.Close(fd)
	wrote := make(chan error)
	go func() {
		_, err := unix.Write(fd, mem[20*userfault.PageSize+100:][:50])
		wrote <- err
	}()
	n, err := a.Fault()
	check(t, err)
	if n != 20 {
		t.Fatalf("fault at page %d, want 20", n)
	}
	select {
	case err := <-wrote:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	if ok, err := a.Copy(n, page(33)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	check(t, <-wrote)
	got := make([]byte, 50)
	_, err = unix.Pread(fd, got, 0)
	check(t, err)
	if !bytes.Equal(got, page(33)[:50]) {
		t.Errorf("read %v", got)
	}

	ended := make(chan error)
	go func() {
		_, err := a.Fault()
		ended <- err
	}()
	check(t, a.Close())
	if err := <-ended; !errors.Is(err, userfault.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	if mem[40*userfault.PageSize] != 0 { // nobody is asked any more
		t.Error("a page that was missing is not zero")
	}
}
