package node

import "testing"

// A VM that was given no name has one made of its image's.
func TestMadeUpName(t *testing.T) {
	for image, want := range map[string]string{
		"primes.img":   "primes-0123ab",
		"lua":          "lua-0123ab",
		"v1.2_x-y.img": "v1.2_x-y-0123ab",
		".hidden img":  "hiddenimg-0123ab",
		"??":           "vm-0123ab",
		"":             "vm-0123ab",
	} {
		got := madeUpName(image, "0123abcdef")
		if got != want || CheckName(got) != nil {
			t.Errorf("%q gives %q, want %q", image, got, want)
		}
	}
}
