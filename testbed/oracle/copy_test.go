package oracle

import (
	"slices"
	"testing"

	"github.com/migrated/migrated/vmm/tender"
)

func TestSubtract(t *testing.T) {
	type list = []tender.Extent
	for _, test := range []struct{ a, b, want list }{
		{nil, list{{Start: 0, End: 5}}, nil},
		{list{{Start: 0, End: 5}}, nil, list{{Start: 0, End: 5}}},
		{list{{Start: 0, End: 5}}, list{{Start: 0, End: 5}}, nil},
		{list{{Start: 0, End: 9}}, list{{Start: 2, End: 3}, {Start: 5, End: 7}}, list{{Start: 0, End: 2}, {Start: 3, End: 5}, {Start: 7, End: 9}}},
		{list{{Start: 2, End: 4}, {Start: 6, End: 9}}, list{{Start: 0, End: 3}, {Start: 8, End: 20}}, list{{Start: 3, End: 4}, {Start: 6, End: 8}}},
		{list{{Start: 2, End: 4}, {Start: 6, End: 9}}, list{{Start: 0, End: 30}}, nil},
	} {
		if got := subtract(test.a, test.b); !slices.Equal(got, test.want) {
			t.Errorf("%v less %v is %v, want %v", test.a, test.b, got, test.want)
		}
	}
}
