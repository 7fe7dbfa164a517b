package rewrite

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// applied returns old after edits.
func applied(t testing.TB, old string, edits []Edit) string {
	t.Helper()
	var b strings.Builder
	at := 0
	for i, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(old) || i > 0 && e.Start == at {
			t.Fatalf("edit %d of %v is not behind the one before, in %d bytes", i, edits, len(old))
		}
		b.WriteString(old[at:e.Start] + e.Text)
		at = e.End
	}
	return b.String() + old[at:]
}

func TestEditsApply(t *testing.T) {
	for _, test := range diffCases {
		t.Run(test.name, func(t *testing.T) { checkEdits(t, test.old, test.new) })
	}
}

func FuzzEdits(f *testing.F) {
	for _, test := range diffCases {
		f.Add(test.old, test.new)
	}
	f.Fuzz(func(t *testing.T, old, new string) { checkEdits(t, old, new) })
}

// checkEdits checks that the edits from old to new give new, and cut no character and no line end.
func checkEdits(t *testing.T, old, new string) {
	t.Helper()
	edits := Change{Old: []byte(old), New: []byte(new)}.Edits()
	if got := applied(t, old, edits); got != new {
		t.Errorf("%q with %v is %q, want %q", old, edits, got, new)
	}
	for _, e := range edits {
		if utf8.ValidString(old) && (!isBetween(old, e.Start) || !isBetween(old, e.End)) {
			t.Errorf("%v cuts a character of %q", e, old)
		}
		if utf8.ValidString(old) && utf8.ValidString(new) && !utf8.ValidString(e.Text) {
			t.Errorf("%q is no text", e.Text)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, test := range []struct {
		name, old, new string
		want           []Edit
	}{
		{"none", "a\n", "a\n", nil},
		{"a part of a line", "a\n\tx map[string]int // é\n", "a\n\tx xMap // é\n", []Edit{{5, 19, "xMap"}}},
		{"letters that begin alike", "é\n", "è\n", []Edit{{0, 2, "è"}}},
		{"line ends", "a\r\nb\n", "a\nb\n", []Edit{{1, 3, "\n"}}},
		{"lines", "a\nb\n", "a\nx\ny\nb\n", []Edit{{2, 2, "x\ny\n"}}},
		{"behind the last", "a\nb\n", "a\nb\nc\n", []Edit{{3, 3, "\nc"}}},
		{"behind the last, with another line end", "a\r\nb\r\n", "a\r\nb\r\nc\r\n", []Edit{{4, 4, "\r\nc"}}},
		{"the last", "a\nb\n", "a\n", []Edit{{1, 3, ""}}},
		{"the last two", "a\nb\nc\n", "a\nx\ny\nz\n", []Edit{{2, 5, "x\ny\nz"}}},
		{"the last of mixed ones", "a\r\nb\n", "a\r\n", []Edit{{3, 5, ""}}},
		{"everything", "a\n", "", []Edit{{0, 2, ""}}},
		{"a new file", "", "a\n", []Edit{{0, 0, "a\n"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Change{Old: []byte(test.old), New: []byte(test.new)}.Edits()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
