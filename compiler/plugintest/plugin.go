// Package plugintest tests the pass plugin through opt, as the toolchain runs it. It is not in
// the plugin's directory because Go takes C++ files beside its own for a part of a package.
package plugintest
