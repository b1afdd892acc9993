package programs_test

import (
	"path/filepath"
	"testing"

	"github.com/migrated/migrated/vmm"
)

// luaScripts are those of examples/lua with an argument that makes them short.
var luaScripts = map[string]string{
	"fannkuch": "7", "nqueens": "6", "sort": "1", "coroutines": "1", "strings": "1",
}

// TestLua compares scripts with Debian's own lua5.4.
func TestLua(t *testing.T) {
	t.Logf("seed %d", *seed)
	image := built(t, "lua")["lua"]
	for script, arg := range luaScripts {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(root(t), "examples/lua", script+".lua")
			text := read(t, path)
			workload{
				args:      []string{"lua", path, arg}, // error messages have the path
				files:     []vmm.File{{Path: path, Mode: 0o644, Data: text}},
				reference: []string{"lua5.4", path, arg},
			}.run(t, image)
		})
	}
}
