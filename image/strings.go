package image

import (
	"fmt"
	"regexp"
)

// What CMake finds out by compiling, it reads from the linked file: it looks for strings
// such as INFO:compiler[Clang] and INFO:size[8] (CMakeDetermineCompilerId.cmake,
// CheckTypeSize.cmake). In an image they are compressed, so they are repeated in the index.
var infoString = regexp.MustCompile(`INFO:[A-Za-z0-9_]+\[[A-Za-z0-9_.+/() -]*\]`)

// maxInfoStrings bounds how many are repeated.
const maxInfoStrings = 64

// infoAnnotations returns a program's such strings as annotations of an index.
func infoAnnotations(exec []byte) map[string]string {
	found := infoString.FindAll(exec, maxInfoStrings)
	if len(found) == 0 {
		return nil
	}
	annotations := make(map[string]string, len(found))
	for n, s := range found {
		annotations[fmt.Sprintf("vnd.migrated.info.%02d", n)] = string(s)
	}
	return annotations
}
