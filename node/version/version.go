// Package version says which version of migrated this is.
package version

import "runtime/debug"

// packaged is the version of the package that this was built for (packaging/deb sets it); empty:
// none.
var packaged string

// String is the package's version, or the commit that this was built from, or the module's version.
func String() string {
	if packaged != "" {
		return packaged
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}
