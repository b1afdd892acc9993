package symbols

import (
	"strconv"
	"strings"
)

// SitesSection is the section of a debug file that says where in the source the sites of frame
// records are. As text, of lines: names, an empty line, and then for each site, from the function inlined
// innermost to the one that it is in, the numbers of the names of function and file, from 1, and the
// line's number.
const SitesSection = ".mig.lines"

// sites answers for the sites of an image.
type sites struct {
	names []string
	lines []string // by number
}

func parseSites(text string) sites {
	names, lines, ok := strings.Cut(text, "\n\n")
	if !ok {
		return sites{}
	}
	return sites{strings.Split(names, "\n"), strings.Split(lines, "\n")}
}

// at returns where a site is, like lines; nil if that is not known.
func (s *sites) at(n uint32) (chain []Location) {
	if uint64(n) >= uint64(len(s.lines)) {
		return nil
	}
	words := strings.Fields(s.lines[n])
	for ; len(words) >= 3 && len(chain) < maxInlined; words = words[3:] {
		line, err := strconv.Atoi(words[2])
		if err != nil {
			return nil
		}
		chain = append(chain, Location{s.name(words[0]), s.name(words[1]), line})
	}
	return chain
}

func (s *sites) name(number string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(s.names) {
		return ""
	}
	return s.names[n-1]
}
