package region

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestMirrorsTheHeader(t *testing.T) {
	text, err := os.ReadFile("../../kernel/include/host_abi.h")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint64{
		"MIG_ABI_VERSION":   ABIVersion,
		"MIG_TEXT_BASE":     TextBase,
		"MIG_PRIVATE_BASE":  PrivateBase,
		"MIG_PORTABLE_BASE": PortableBase,
		"MIG_STATIC_BASE":   StaticBase,
		"MIG_PAGE_SIZE":     PageSize,
	} {
		m := regexp.MustCompile(`(?m)^#define ` + name + `\s+(\S+)`).FindSubmatch(text)
		if m == nil {
			t.Errorf("the header does not define %s", name)
			continue
		}
		got, err := strconv.ParseUint(strings.TrimRight(string(m[1]), "UL"), 0, 64)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got != want {
			t.Errorf("%s is %#x in the header, %#x here", name, got, want)
		}
	}
}
