package rewrite

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree is the files below a folder: path with slashes -> mode and content.
type tree map[string]string

// before is what the tests begin with, edits what they ask for, after what must come out.
var before = tree{
	"a.go":       "-rw-r--r-- package a\n",
	"sub/b.go":   "-rwxr-x--- package b\r\n",
	"sub/c.go":   "-rw------- ",
	"untouched":  "-rw-r--r-- x",
	"z/empty.go": "-rw-rw-rw- package z\n",
}

var after = tree{
	"a.go":       "-rw-r--r-- package a // new\n",
	"sub/b.go":   "-rwxr-x--- package b // new\r\n",
	"sub/c.go":   "-rw------- package c\n",
	"sub/new.go": "-rw-r----- package new\n",
	"untouched":  "-rw-r--r-- x",
	"z/empty.go": "-rw-rw-rw- ",
}

func edits() []Change {
	return []Change{
		{File: "z/empty.go", Old: []byte("package z\n")},
		{File: "a.go", Old: []byte("package a\n"), New: []byte("package a // new\n")},
		{File: "sub/b.go", Old: []byte("package b\r\n"), New: []byte("package b // new\r\n")},
		{File: "sub/c.go", New: []byte("package c\n")},
		{File: "sub/new.go", New: []byte("package new\n"), Create: true, Mode: 0o640},
		{File: "untouched", Old: []byte("x"), New: []byte("x")},
	}
}

// furtherEdits is a second run after the one of edits.
func furtherEdits() []Change {
	return []Change{
		{File: "a.go", Old: []byte("package a // new\n"), New: []byte("package a // newer\n")},
		{File: "untouched", Old: []byte("x"), New: []byte("y")},
	}
}

// newRoot is a git repository, as far as Commit looks, with the files of before.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".git", "HEAD"), "ref: refs/heads/main\n")
	for name, file := range before {
		mode, content := file[:10], file[11:]
		abs := filepath.Join(root, filepath.FromSlash(name))
		mustWrite(t, abs, content)
		if err := os.Chmod(abs, parseMode(mode)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// parseMode reads what fs.FileMode.String prints.
func parseMode(s string) (mode fs.FileMode) {
	for i, c := range s[1:] {
		if c != '-' {
			mode |= 1 << (8 - i)
		}
	}
	return mode
}

// readTree reads every file below root but those of the git directory.
func readTree(t *testing.T, root string) tree {
	t.Helper()
	files := make(tree)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		files[filepath.ToSlash(rel)] = info.Mode().String() + " " + string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// state lists the journal folder of root without the lock.
func state(t *testing.T, root string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, ".git", "mapmend", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range names {
		if base := filepath.Base(name); base != "lock" {
			files = append(files, base)
		}
	}
	return files
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks that an error mentions each text.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want %q", err, text)
		}
	}
}

func wantTree(t *testing.T, root string, want tree) {
	t.Helper()
	if d := cmp.Diff(want, readTree(t, root)); d != "" {
		t.Fatalf("files (-want +got):\n%s", d)
	}
}

func wantState(t *testing.T, root string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, state(t, root)); d != "" {
		t.Fatalf("journal folder (-want +got):\n%s", d)
	}
}

// undo is Undo, but for the files.
func undo(root string) error {
	_, err := Undo(root)
	return err
}

func TestCommitAndUndo(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	changes := edits()
	asked := fmt.Sprint(changes)

	if _, err := Undo(root); !errors.Is(err, ErrNoRun) {
		t.Errorf("Undo before any run: error %v, want %v", err, ErrNoRun)
	}
	if err := Commit(root, changes); err != nil {
		t.Fatal(err)
	}
	wantTree(t, root, after)
	wantState(t, root, "last")
	if fmt.Sprint(changes) != asked {
		t.Error("Commit altered the changes")
	}
	if recovered, err := Recover(root); recovered || err != nil {
		t.Errorf("Recover after a completed run: %v, %v, want false", recovered, err)
	}

	files, err := Undo(root)
	if err != nil {
		t.Fatal(err)
	}
	for file := range after {
		if slices.Contains(files, file) != (before[file] != after[file]) {
			t.Errorf("Undo returns the files %q; %s was changed: %v", files, file, before[file] != after[file])
		}
	}
	wantTree(t, root, before)
	wantState(t, root)
	if _, err := Undo(root); !errors.Is(err, ErrNoRun) {
		t.Errorf("second Undo: error %v, want %v", err, ErrNoRun)
	}

	// Only the last of two runs can be taken back.
	if err := errors.Join(Commit(root, edits()), Commit(root, furtherEdits()), undo(root)); err != nil {
		t.Fatal(err)
	}
	wantTree(t, root, after)
}

func TestCommitNothing(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	if err := Commit(root, edits()); err != nil {
		t.Fatal(err)
	}
	same := []Change{{File: "untouched", Old: []byte("x"), New: []byte("x")}}
	if err := errors.Join(Commit(root, nil), Commit(root, same)); err != nil {
		t.Fatal(err)
	}
	// A run without effect does not take the place of the last one.
	if _, err := Undo(root); err != nil {
		t.Fatal(err)
	}
	wantTree(t, root, before)
}

func TestUndoKeepsLaterWork(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	if err := Commit(root, edits()); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(root, "sub", "b.go"), "mine")
	want := readTree(t, root)
	wantError(t, undo(root), "sub/b.go: changed since the run")
	wantTree(t, root, want)
	mustWrite(t, filepath.Join(root, "sub", "b.go"), "package b // new\r\n")
	if _, err := Undo(root); err != nil {
		t.Fatal(err)
	}
	wantTree(t, root, before)
}

func TestCommitRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, root string)
		change  Change // beside those of edits
		want    []string
	}{
		{
			name:    "changed file",
			prepare: func(t *testing.T, root string) { mustWrite(t, filepath.Join(root, "sub/b.go"), "package b\n") },
			want:    []string{"sub/b.go: changed since it was read"},
		},
		{
			name: "every changed file",
			prepare: func(t *testing.T, root string) {
				mustWrite(t, filepath.Join(root, "sub/b.go"), "package b\n")
				mustWrite(t, filepath.Join(root, "sub/new.go"), "package new\n")
				check(t, os.Remove(filepath.Join(root, "a.go")))
			},
			want: []string{"a.go: changed since it was read: it is gone", "sub/b.go: changed since it was read",
				"sub/new.go: changed since it was read: it exists already"},
		},
		{
			name: "symbolic link",
			prepare: func(t *testing.T, root string) {
				check(t, os.Rename(filepath.Join(root, "a.go"), filepath.Join(root, "target")))
				check(t, os.Symlink("target", filepath.Join(root, "a.go")))
			},
			want: []string{"a.go: cannot write to a symbolic link"},
		},
		{
			name: "dangling symbolic link in the way",
			prepare: func(t *testing.T, root string) {
				check(t, os.Symlink("nowhere", filepath.Join(root, "sub/new.go")))
			},
			want: []string{"sub/new.go: changed since it was read: it exists already"},
		},
		{
			name: "symbolic link to a folder",
			prepare: func(t *testing.T, root string) {
				check(t, os.Rename(filepath.Join(root, "sub"), filepath.Join(root, "real")))
				check(t, os.Symlink("real", filepath.Join(root, "sub")))
			},
			want: []string{"sub/b.go: cannot write behind the symbolic link sub"},
		},
		{
			name:    "read-only file",
			prepare: func(t *testing.T, root string) { check(t, os.Chmod(filepath.Join(root, "a.go"), 0o444)) },
			want:    []string{"a.go: cannot write to a read-only file"},
		},
		{
			name:   "folder",
			change: Change{File: "z", New: []byte("x")},
			want:   []string{"z: cannot write: not a regular file"},
		},
		{
			name:   "no folder",
			change: Change{File: "none/x.go", Create: true, New: []byte("x")},
			want:   []string{"none/x.go: ", "no such file"},
		},
		{
			name:   "file for a folder",
			change: Change{File: "untouched/x.go", Create: true, New: []byte("x")},
			want:   []string{"untouched/x.go: cannot write: untouched is not a folder"},
		},
		{
			name:   "outside the root",
			change: Change{File: "../x.go", Create: true, New: []byte("x")},
			want:   []string{`"../x.go": not a path below the root`},
		},
		{
			name:   "absolute",
			change: Change{File: "/x.go", Create: true, New: []byte("x")},
			want:   []string{`"/x.go": not a path below the root`},
		},
		{
			name:   "the root",
			change: Change{File: ".", New: []byte("x")},
			want:   []string{`".": not a path below the root`},
		},
		{
			name:   "twice",
			change: Change{File: "a.go", Old: []byte("package a\n"), New: []byte("x")},
			want:   []string{"a.go: changed twice in one run"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			if test.prepare != nil {
				test.prepare(t, root)
			}
			want := readTreeOfLinks(t, root)
			changes := edits()
			if test.change.File != "" {
				changes = append(changes, test.change)
			}
			wantError(t, Commit(root, changes), test.want...)
			if d := cmp.Diff(want, readTreeOfLinks(t, root)); d != "" {
				t.Errorf("files (-want +got):\n%s", d)
			}
			wantState(t, root)
		})
	}
}

// readTreeOfLinks is readTree with the modes of files that may be unreadable links.
func readTreeOfLinks(t *testing.T, root string) tree {
	t.Helper()
	files := make(tree)
	check(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, _ := os.ReadFile(name)
		link, _ := os.Readlink(name)
		files[name] = info.Mode().String() + " " + link + " " + string(content)
		return nil
	}))
	return files
}

func TestCommitOneRunAtATime(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	check(t, withRun(root, osDisk{}, func(*run) error {
		wantError(t, Commit(root, edits()), "another run of mapmend is writing here")
		wantError(t, undo(root), "another run of mapmend is writing here")

		// A link to the root is the same root; another root in the repository is not.
		link := filepath.Join(t.TempDir(), "link")
		check(t, os.Symlink(root, link))
		wantError(t, Commit(link, edits()), "another run of mapmend is writing here")
		return Commit(filepath.Join(root, "sub"), []Change{{File: "c.go", New: []byte("package c\n")}})
	}))
	check(t, undo(filepath.Join(root, "sub")))
	check(t, Commit(root, edits()))
	wantTree(t, root, after)
}

// TestCommitChangedMeanwhile has somebody change a file after the check and before its turn.
func TestCommitChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		change     func(name string) error
		want       string // the file then, "" if it is gone
	}{
		{"saved", "z/empty.go", func(name string) error { return os.WriteFile(name, []byte("mine"), 0o666) }, "-rw-rw-rw- mine"},
		{"removed", "z/empty.go", os.Remove, ""},
		{"removed while empty", "sub/c.go", os.Remove, ""},
		{"created empty", "sub/new.go", func(name string) error {
			return errors.Join(os.WriteFile(name, nil, 0o600), os.Chmod(name, 0o600))
		}, "-rw------- "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			changed := false
			d := &fault{disk: osDisk{}, watch: func(step string) {
				if !changed && strings.HasPrefix(step, "rename ") && strings.HasSuffix(step, "b.go") {
					changed = true
					check(t, test.change(filepath.Join(root, filepath.FromSlash(test.file))))
				}
			}}
			wantError(t, commitOn(root, d, edits()), test.file+": changed since it was read")
			want := maps.Clone(before)
			delete(want, test.file)
			if test.want != "" {
				want[test.file] = test.want
			}
			wantTree(t, root, want)
			wantState(t, root)
		})
	}
}

// forbidding is a disk on which files cannot be opened for writing, whatever their bits say.
type forbidding struct{ osDisk }

func (forbidding) CheckWritable(name string) error {
	return &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestCommitForbidden(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	wantError(t, commitOn(root, forbidding{}, edits()), "a.go: cannot write to a read-only file: open ", "sub/c.go: cannot write")
	wantTree(t, root, before)
	wantState(t, root)
}

func TestCommitKeepsOwner(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	root := newRoot(t)
	name := filepath.Join(root, "a.go")
	check(t, os.Chown(name, 1234, 5678))
	owner := func() string {
		info, err := os.Lstat(name)
		check(t, err)
		sys := reflect.Indirect(reflect.ValueOf(info.Sys()))
		return fmt.Sprint(sys.FieldByName("Uid"), sys.FieldByName("Gid"))
	}
	want := owner()
	check(t, Commit(root, edits()))
	if got := owner(); got != want {
		t.Errorf("owner %s after Commit, want %s", got, want)
	}
	check(t, undo(root))
	if got := owner(); got != want {
		t.Errorf("owner %s after Undo, want %s", got, want)
	}
}
