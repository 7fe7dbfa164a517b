package rewrite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// diffCases are pairs of contents that diff writers get wrong.
var diffCases = []struct {
	name     string
	file     string // "f.go" if empty
	old, new string
	create   bool
}{
	{name: "one line of one", old: "a\n", new: "b\n"},
	{name: "in the middle", old: numbers(1, 20), new: numbers(1, 9) + "new\n" + numbers(11, 20)},
	{name: "insert first", old: numbers(1, 9), new: "new\n" + numbers(1, 9)},
	{name: "insert last", old: numbers(1, 9), new: numbers(1, 9) + "new\n"},
	{name: "delete first", old: numbers(1, 9), new: numbers(2, 9)},
	{name: "delete last", old: numbers(1, 9), new: numbers(1, 8)},
	{name: "two hunks", old: numbers(1, 30), new: numbers(1, 4) + "x\ny\n" + numbers(5, 24) + numbers(26, 30)},
	{name: "contexts overlap", old: numbers(1, 20), new: numbers(1, 4) + "x\n" + numbers(6, 8) + "y\n" + numbers(10, 20)},
	{name: "contexts touch", old: numbers(1, 20), new: numbers(1, 4) + "x\n" + numbers(6, 11) + "y\n" + numbers(13, 20)},
	{name: "contexts just apart", old: numbers(1, 20), new: numbers(1, 4) + "x\n" + numbers(6, 12) + "y\n" + numbers(14, 20)},
	{name: "newline at end lost", old: "a\nb\n", new: "a\nb"},
	{name: "newline at end gained", old: "a\nb", new: "a\nb\n"},
	{name: "no newline at end on both sides", old: "a\nb", new: "x\nb"},
	{name: "no newline at end, last line changed", old: "a\nb", new: "a\nc"},
	{name: "no newline at end, line added", old: "a\nb", new: "a\nb\nc"},
	{name: "crlf", old: "a\r\nb\r\nc\r\n", new: "a\r\nx\r\nc\r\n"},
	{name: "crlf without newline at end", old: "a\r\nb", new: "a\r\nc"},
	{name: "crlf to lf", old: "a\r\nb\r\n", new: "a\nb\n"},
	{name: "mixed line endings", old: "a\r\nb\nc\rd\n", new: "a\nb\nc\re\r\n"},
	{name: "byte order mark", old: "\ufeffa\nb\n", new: "\ufeffa\nc\n"},
	{name: "not utf-8", old: "a\xff\nb\n", new: "a\xfe\nb\n"},
	{name: "blank lines", old: "\n\n\n", new: "\n\n\n\n\n"},
	{name: "trailing space", old: "a \nb\n", new: "a\t\nb \n"},
	{name: "lines like a diff", old: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n", new: "-- a/x\n+++ b/x\n@@ -2 +1 @@\n\\ No newline at end of file\n"},
	{name: "an empty file gets content", old: "", new: "a\nb\n"},
	{name: "an empty file gets a line without end", old: "", new: "a"},
	{name: "content to empty", old: "a\nb\n", new: ""},
	{name: "wholly different", old: numbers(1, 50), new: numbers(100, 130)},
	{name: "moved", old: numbers(1, 10) + numbers(11, 20), new: numbers(11, 20) + numbers(1, 10)},
	{name: "new file", create: true, new: "package p\n\nvar x int\n"},
	{name: "new file without newline at end", create: true, new: "package p"},
	{name: "new file in a folder", file: "a/b/c.go", create: true, new: "package p\n"},
	{name: "new file with a space", file: "a b.go", create: true, new: "package p\n"},
	{name: "file in a folder", file: "a/b/c.go", old: "a\n", new: "b\n"},
	{name: "name with spaces", file: "a b/c d.go", old: "a\n", new: "b\n"},
	{name: "name with a space at the end", file: "a ", old: "a\n", new: "b\n"},
	{name: "name with a time", file: "a 2020-01-02 03:04:05.000000000 +0000", old: "a\n", new: "b\n"},
	{name: "name with a tab", file: "a\tb.go", old: "a\n", new: "b\n"},
	{name: "name with a quote", file: `a "b".go`, old: "a\n", new: "b\n"},
	{name: "name with a backslash", file: `a\b.go`, old: "a\n", new: "b\n"},
	{name: "name with a newline", file: "a\nb.go", create: true, new: "b\n"},
	{name: "name outside ascii", file: "größe/日本 x.go", old: "a\n", new: "b\n"},
	{name: "name with quote outside ascii", file: "größe\".go", old: "a\n", new: "b\n"},
	{
		name: "repetitive code", // an insertion shifts everything below by whole copies (golang/go#81453)
		old:  strings.Repeat(block, 200),
		new: strings.Repeat(block, 20) + strings.Repeat("// added\n"+block, 30) +
			strings.Repeat(block, 100) + strings.Replace(block, "m[k]", "m.Load(k)", 1) + strings.Repeat(block, 49),
	},
}

const block = "func get() {\n\tmu.Lock()\n\tx := m[k]\n\tmu.Unlock()\n\treturn\n}\n\n"

// numbers is a line for each number from lo to hi.
func numbers(lo, hi int) string {
	var b strings.Builder
	for i := lo; i <= hi; i++ {
		fmt.Fprintln(&b, i)
	}
	return b.String()
}

func TestDiffApplies(t *testing.T) {
	t.Parallel()
	for _, tool := range []struct {
		name string
		args []string
		sub  string // where in the tree it is called
		repo bool   // inside a git repository
	}{
		{name: "git outside a repository", args: []string{"git", "apply"}},
		{name: "git", args: []string{"git", "apply"}, repo: true},
		{name: "git in a folder", args: []string{"git", "apply"}, repo: true, sub: "sub/dir"},
		{name: "patch", args: []string{"patch", "-p1", "--fuzz=0"}},
	} {
		t.Run(tool.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(tool.args[0]); err != nil {
				t.Skip(err)
			}
			for _, test := range diffCases {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					top := t.TempDir()
					if tool.repo {
						command(t, top, nil, "git", "init", "-q")
					}
					dir := filepath.Join(top, filepath.FromSlash(tool.sub))
					c := Change{File: test.file, Old: []byte(test.old), New: []byte(test.new), Create: test.create}
					if c.File == "" {
						c.File = "f.go"
					}
					file := filepath.Join(dir, filepath.FromSlash(c.File))
					if !c.Create {
						mustWrite(t, file, test.old)
					} else if err := os.MkdirAll(dir, 0o777); err != nil {
						t.Fatal(err)
					}
					diff := mustDiff(t, []Change{c}, DiffOptions{})
					out := command(t, dir, []byte(diff), tool.args[0], tool.args[1:]...)
					got, err := os.ReadFile(file)
					// patch removes a file that becomes empty; the diff does not ask for it.
					if tool.name == "patch" && test.new == "" && errors.Is(err, os.ErrNotExist) {
						err = nil
					}
					if err != nil {
						t.Fatalf("%v\n%s\n%s", err, out, diff)
					}
					if d := cmp.Diff(test.new, string(got)); d != "" {
						t.Errorf("applied result differs (-want +got):\n%s\n%s\n%s", d, out, diff)
					}
					if strings.Contains(out, "fuzz") || strings.Contains(out, "offset") {
						t.Errorf("%v had to search:\n%s\n%s", tool.args, out, diff)
					}
				})
			}
		})
	}
}

func TestDiffText(t *testing.T) {
	t.Parallel()
	const old = "package p\n\nfunc a() {\n\tx()\n}\n\nfunc b() {\n\tx()\n}\n"
	for _, test := range []struct {
		name    string
		changes []Change
		opt     DiffOptions
		want    string
	}{
		{name: "nothing"},
		{
			name:    "nothing changed",
			changes: []Change{{File: "a.go", Old: []byte(old), New: []byte(old)}},
		},
		{
			name: "sorted, not in place",
			changes: []Change{
				{File: "b.go", Old: []byte("1\n"), New: []byte("2\n")},
				{File: "a.go", New: []byte("1\n2\n"), Create: true},
			},
			want: "--- /dev/null\n+++ b/a.go\n@@ -0,0 +1,2 @@\n+1\n+2\n--- a/b.go\n+++ b/b.go\n@@ -1 +1 @@\n-1\n+2\n",
		},
		{
			name:    "relative",
			changes: []Change{{File: "x/a.go", Old: []byte("1\n"), New: []byte("2\n")}},
			opt:     DiffOptions{Rel: func(file string) string { return strings.TrimPrefix(file, "x/") }},
			want:    "--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@\n-1\n+2\n",
		},
		{
			// The added method is shown whole, not from its second line to the first of the next one.
			name: "method added between two",
			changes: []Change{{File: "a.go", Old: []byte(old),
				New: []byte(strings.Replace(old, "func b()", "func c() {\n\tx()\n}\n\nfunc b()", 1) + "// end\n")}},
			want: "--- a/a.go\n+++ b/a.go\n@@ -4,6 +4,11 @@\n \tx()\n }\n \n+func c() {\n+\tx()\n+}\n+\n func b() {\n \tx()\n }\n+// end\n",
		},
		{
			name: "contexts that touch are one hunk, others are not",
			changes: []Change{{File: "a", Old: []byte(numbers(1, 18)),
				New: []byte(numbers(2, 7) + numbers(9, 15) + numbers(17, 18))}},
			want: "--- a/a\n+++ b/a\n@@ -1,11 +1,9 @@\n-1\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n 9\n 10\n 11\n" +
				"@@ -13,6 +11,5 @@\n 13\n 14\n 15\n-16\n 17\n 18\n",
		},
		{
			name: "names with a quote, a backslash, a control character",
			changes: []Change{
				{File: `a\b`, Old: []byte("1\n"), New: []byte("2\n")},
				{File: `b"`, Old: []byte("1\n"), New: []byte("2\n")},
				{File: "c\x7f", Old: []byte("1\n"), New: []byte("2\n")},
			},
			want: `--- "a/a\\b"` + "\n" + `+++ "b/a\\b"` + "\n@@ -1 +1 @@\n-1\n+2\n" +
				`--- "a/b\""` + "\n" + `+++ "b/b\""` + "\n@@ -1 +1 @@\n-1\n+2\n" +
				`--- "a/c\177"` + "\n" + `+++ "b/c\177"` + "\n@@ -1 +1 @@\n-1\n+2\n",
		},
		{
			name: "color",
			changes: []Change{
				{File: "a.go", Old: []byte("0\r\n1\r\n"), New: []byte("0\r\n2")},
			},
			opt: DiffOptions{Color: true},
			want: "\x1b[1m--- a/a.go\x1b[m\n\x1b[1m+++ b/a.go\x1b[m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[m\n 0\r\n" +
				"\x1b[31m-1\x1b[m\r\n\x1b[32m+2\x1b[m\n\\ No newline at end of file\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := fmt.Sprint(test.changes)
			if d := cmp.Diff(test.want, mustDiff(t, test.changes, test.opt)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if fmt.Sprint(test.changes) != before {
				t.Error("Diff altered the changes")
			}
		})
	}
}

func TestDiffErrors(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := Diff(&out, []Change{
		{File: "a.go", Old: []byte("1\n"), New: []byte("2\n")},
		{File: "b.go", Create: true},
	}, DiffOptions{})
	if err == nil || !strings.Contains(err.Error(), "b.go") {
		t.Errorf("empty new file: error %v, want one naming b.go", err)
	}
	if out.Len() > 0 {
		t.Errorf("written before the error:\n%s", &out)
	}

	r, w := io.Pipe()
	r.CloseWithError(io.ErrUnexpectedEOF)
	if err := Diff(w, []Change{{File: "a.go", New: []byte("2\n")}}, DiffOptions{}); err != io.ErrUnexpectedEOF {
		t.Errorf("broken writer: error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// FuzzDiff applies each diff with an applier that forgives nothing: both line numbers of each hunk,
// its counts and its context have to be exact.
func FuzzDiff(f *testing.F) {
	for _, test := range diffCases {
		f.Add([]byte(test.old), []byte(test.new))
	}
	f.Fuzz(func(t *testing.T, old, new []byte) {
		diff := mustDiff(t, []Change{{File: "f.go", Old: old, New: new}}, DiffOptions{})
		got, err := strictApply(string(old), diff)
		if err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
		if got != string(new) {
			t.Errorf("applied result is %q, want %q\n%s", got, new, diff)
		}
		if d := mustDiff(t, []Change{{File: "f.go", Old: new, New: new}}, DiffOptions{}); d != "" {
			t.Errorf("equal contents have a diff:\n%s", d)
		}
	})
}

// strictApply applies a diff of one file.
func strictApply(old, diff string) (string, error) {
	if diff == "" {
		return old, nil
	}
	rest, ok := strings.CutPrefix(diff, "--- a/f.go\n+++ b/f.go\n")
	if !ok {
		return "", errors.New("bad header")
	}
	in := splitLines([]byte(old))
	var out []string
	at := 0
	lines := splitLines([]byte(rest))
	for len(lines) > 0 {
		var header [4]int
		if err := parseHunkHeader(lines[0], &header); err != nil {
			return "", err
		}
		lines = lines[1:]
		oldStart, oldCount, newStart, newCount := header[0], header[1], header[2], header[3]
		if oldStart < at || oldStart > len(in) {
			return "", fmt.Errorf("hunk at old line %d, already at %d of %d", oldStart, at, len(in))
		}
		out = append(out, in[at:oldStart]...)
		at = oldStart
		if len(out) != newStart {
			return "", fmt.Errorf("hunk at new line %d, which is %d", newStart, len(out))
		}
		for oldCount > 0 || newCount > 0 {
			if len(lines) == 0 {
				return "", errors.New("hunk ends early")
			}
			mark, text := lines[0][0], lines[0][1:]
			lines = lines[1:]
			if len(lines) > 0 && lines[0] == "\\ No newline at end of file\n" {
				text = strings.TrimSuffix(text, "\n")
				lines = lines[1:]
			}
			if mark != '+' {
				if at == len(in) || in[at] != text {
					return "", fmt.Errorf("old line %d is not %q", at, text)
				}
				at++
				oldCount--
			}
			if mark != '-' {
				out = append(out, text)
				newCount--
			}
		}
		if oldCount < 0 || newCount < 0 {
			return "", errors.New("hunk is longer than it says")
		}
	}
	return strings.Join(append(out, in[at:]...), ""), nil
}

// parseHunkHeader reads start and count of both sides, starts counted from zero.
func parseHunkHeader(line string, to *[4]int) error {
	fields := strings.Fields(line)
	if len(fields) != 4 || fields[0] != "@@" || fields[3] != "@@" || fields[1][0] != '-' || fields[2][0] != '+' {
		return fmt.Errorf("bad hunk header %q", line)
	}
	for i, field := range fields[1:3] {
		start, count, found := strings.Cut(field[1:], ",")
		if !found {
			count = "1"
		}
		var err1, err2 error
		to[2*i], err1 = strconv.Atoi(start)
		to[2*i+1], err2 = strconv.Atoi(count)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if to[2*i+1] > 0 {
			to[2*i]--
		}
	}
	return nil
}

// BenchmarkDiff is a large file with many scattered changes.
func BenchmarkDiff(b *testing.B) {
	var old, new strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&old, "line %d\n", i%700)
		if i%50 == 0 {
			fmt.Fprintf(&new, "added %d\n", i)
		}
		fmt.Fprintf(&new, "line %d\n", i%700)
	}
	changes := []Change{{File: "f.go", Old: []byte(old.String()), New: []byte(new.String())}}
	for b.Loop() {
		if err := Diff(io.Discard, changes, DiffOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func mustDiff(t *testing.T, changes []Change, opt DiffOptions) string {
	t.Helper()
	var out strings.Builder
	if err := Diff(&out, changes, opt); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func mustWrite(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// command runs a program that reads nothing but what it is given, and returns what it prints.
func command(t *testing.T, dir string, stdin []byte, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s\n%s", name, args, err, out, stdin)
	}
	return string(out)
}
