// This file makes the disk fail, and the process die, at each step of a run.

package rewrite

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fault is a disk that fails at one step, or from one step on.
type fault struct {
	disk               // the one that does the work
	at    int          // the step, counted from 1; 0 is none
	n     int          // steps so far
	done  bool         // the step takes place before it fails; a write does by half otherwise
	fail  func() error // called at the step: returns the error, or does not return
	after func() error // called at each later step, if set
	watch func(string) // called before each step, if set
	seen  []string     // the steps so far
}

var errFault = errors.New("injected fault")

// step counts one operation and runs it, or fails.
func (f *fault) step(name string, do, half func() error) error {
	f.n++
	f.seen = append(f.seen, name)
	if f.watch != nil {
		f.watch(name)
	}
	switch {
	case f.at > 0 && f.n > f.at && f.after != nil:
		return f.after()
	case f.n == f.at && f.done:
		_ = do()
		return f.fail()
	case f.n == f.at:
		if half != nil {
			_ = half()
		}
		return f.fail()
	}
	return do()
}

func (f *fault) Lstat(name string) (info fs.FileInfo, err error) {
	err = f.step("lstat "+name, func() (err error) { info, err = f.disk.Lstat(name); return }, nil)
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (f *fault) ReadFile(name string) (data []byte, err error) {
	err = f.step("read "+name, func() (err error) { data, err = f.disk.ReadFile(name); return }, nil)
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (f *fault) CheckWritable(name string) error {
	return f.step("open "+name, func() error { return f.disk.CheckWritable(name) }, nil)
}

func (f *fault) Write(name string, data []byte, mode fs.FileMode, like fs.FileInfo) error {
	return f.step("write "+name, func() error { return f.disk.Write(name, data, mode, like) },
		func() error { return f.disk.Write(name, data[:len(data)/2], mode, like) })
}

func (f *fault) Rename(from, to string) error {
	return f.step("rename "+from+" to "+to, func() error { return f.disk.Rename(from, to) }, nil)
}

func (f *fault) Remove(name string) error {
	return f.step("remove "+name, func() error { return f.disk.Remove(name) }, nil)
}

func (f *fault) SyncDir(name string) error {
	return f.step("sync "+name, func() error { return f.disk.SyncDir(name) }, nil)
}

// commitOn is Commit on any disk.
func commitOn(root string, d disk, changes []Change) error {
	files, err := filesOf(changes)
	if err != nil {
		return err
	}
	return withRun(root, d, func(r *run) error {
		if _, err := r.recover(); err != nil {
			return err
		}
		return r.commit(files, false)
	})
}

// undoOn is Undo on any disk.
func undoOn(root string, d disk) error {
	return withRun(root, d, func(r *run) error {
		_, err := r.undo()
		return err
	})
}

// dead returns a disk that answers nothing from a step on.
func dead(at int, done bool) *fault {
	fail := func() error { return errFault }
	return &fault{disk: osDisk{}, at: at, done: done, fail: fail, after: fail}
}

// operation is one thing that may be cut short.
type operation struct {
	name     string
	prepare  func(t *testing.T, root string) // what went before
	do       func(root string, d disk) error
	from, to tree // the two states it may leave, once recovered
}

func operations() []operation {
	commit := func(root string, d disk) error { return commitOn(root, d, edits()) }
	return []operation{
		{
			name:    "commit",
			prepare: func(*testing.T, string) {},
			do:      commit,
			from:    before, to: after,
		},
		{
			name:    "undo",
			prepare: func(t *testing.T, root string) { check(t, Commit(root, edits())) },
			do:      undoOn,
			from:    after, to: before,
		},
		{
			name: "commit after an interrupted one",
			prepare: func(t *testing.T, root string) {
				interrupt(t, root, "z/empty.go")
			},
			do:   commit,
			from: before, to: after,
		},
	}
}

// interrupt leaves a run of edits that died when it was about to replace a file.
func interrupt(t *testing.T, root, file string) {
	t.Helper()
	want := append([]string{"journal"}, state(t, root)...)
	d := dead(0, false)
	d.watch = func(step string) {
		if strings.HasPrefix(step, "rename ") && strings.HasSuffix(step, filepath.FromSlash(file)) {
			d.at = d.n
		}
	}
	if err := commitOn(root, d, edits()); !errors.Is(err, errFault) {
		t.Fatalf("error %v, want %v", err, errFault)
	}
	wantState(t, root, want...)
}

// steps lists the steps of an operation that goes well.
func (op operation) steps(t *testing.T) []string {
	t.Helper()
	root := newRoot(t)
	op.prepare(t, root)
	d := &fault{disk: osDisk{}}
	check(t, op.do(root, d))
	wantTree(t, root, op.to)
	return d.seen
}

// moment is when something fails.
type moment struct {
	at        int  // the step, counted from 1
	done      bool // when it was done, not when it was left out or half done
	completed bool // the run is completed by then
}

// eachStep runs a test for each step of each operation that it wants, once with the step left out or
// half done and once with the step done.
func eachStep(t *testing.T, wanted func(verb string, done bool) bool, test func(t *testing.T, op operation, root string, m moment)) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			steps := op.steps(t)
			completed := slices.IndexFunc(steps, func(step string) bool {
				return strings.HasPrefix(step, "rename ") && filepath.Base(step) == "last"
			})
			for i, step := range steps {
				verb, _, _ := strings.Cut(step, " ")
				for _, done := range []bool{false, true} {
					if !wanted(verb, done) {
						continue
					}
					t.Run(fmt.Sprintf("%d %s done=%t", i+1, verb, done), func(t *testing.T) {
						t.Parallel()
						root := newRoot(t)
						op.prepare(t, root)
						test(t, op, root, moment{at: i + 1, done: done, completed: i > completed || i == completed && done})
					})
				}
			}
		})
	}
}

// readsOnly reports whether a step leaves everything as it is.
func readsOnly(verb string) bool {
	return verb == "lstat" || verb == "read" || verb == "open"
}

// TestOneFault fails one step; whatever the run needs afterwards works.
func TestOneFault(t *testing.T) {
	t.Parallel()
	wanted := func(verb string, done bool) bool { return !done || !readsOnly(verb) }
	eachStep(t, wanted, func(t *testing.T, op operation, root string, m moment) {
		d := &fault{disk: osDisk{}, at: m.at, done: m.done, fail: func() error { return errFault }}
		err := op.do(root, d)
		switch {
		case m.completed:
			check(t, err)
			wantTree(t, root, op.to)
			if _, err := Undo(root); op.name == "undo" && !errors.Is(err, ErrNoRun) {
				t.Errorf("second Undo: error %v, want %v", err, ErrNoRun)
			}
			return
		case !errors.Is(err, errFault):
			t.Fatalf("error %v, want %v", err, errFault)
		case strings.Contains(op.name, "interrupted"):
			// What failed may be the recovery of the other run, which is then to be done.
			_, err := Recover(root)
			check(t, err)
		}
		wantTree(t, root, op.from)
		if got := state(t, root); slices.Contains(got, "journal") || slices.Contains(got, "journal.new") {
			t.Errorf("left of a run that was taken back: %q", got)
		}
		check(t, op.do(root, osDisk{}))
		wantTree(t, root, op.to)
	})
}

// TestOrder checks what only a power failure would show: what has to be on the disk before what.
func TestOrder(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	d := &fault{disk: osDisk{}}
	check(t, commitOn(root, d, edits()))
	_, state, err := stateFolder(root, os.UserCacheDir)
	check(t, err)
	order := []*regexp.Regexp{
		regexp.MustCompile(`^write .*journal\.new$`),
		regexp.MustCompile(`^rename .*journal$`),
		regexp.MustCompile(`^sync ` + regexp.QuoteMeta(state) + `$`),
		regexp.MustCompile(`^write .*\.tmp$`),
		regexp.MustCompile(`^rename .*\.go$`),
		regexp.MustCompile(`^sync .*[/\\](001|sub|z)$`), // the root and its two folders
		regexp.MustCompile(`^rename .*last$`),
	}
	var steps []string
	for _, step := range d.seen {
		if verb, _, _ := strings.Cut(step, " "); !readsOnly(verb) {
			steps = append(steps, step)
		}
	}
	for _, want := range order {
		n := 0
		for n < len(steps) && want.MatchString(steps[n]) {
			n++
		}
		if n == 0 {
			t.Fatalf("no step %s before %q", want, steps)
		}
		if strings.Contains(want.String(), "sub") && n != 3 {
			t.Errorf("%d folders synced, want 3", n)
		}
		steps = steps[n:]
	}
}

// TestDeadDisk fails one step and all that follow, so that the run cannot be taken back at once.
func TestDeadDisk(t *testing.T) {
	t.Parallel()
	wanted := func(verb string, done bool) bool { return !done || verb == "rename" }
	eachStep(t, wanted, func(t *testing.T, op operation, root string, m moment) {
		err := op.do(root, dead(m.at, m.done))
		if err == nil && !m.completed {
			t.Error("no error")
		}
		recovered, recoverErr := Recover(root)
		check(t, recoverErr)
		wantEither(t, op, root, recovered)
		if err == nil {
			wantTree(t, root, op.to)
		}
	})
}

// TestCrash ends the process at one step. A step that was done is the one after it left out; one that
// only reads leaves what the one before it left.
func TestCrash(t *testing.T) {
	t.Parallel()
	wanted := func(verb string, done bool) bool { return !done && !readsOnly(verb) && verb != "sync" }
	eachStep(t, wanted, func(t *testing.T, op operation, root string, m moment) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
		cmd.Env = append(os.Environ(), "MAPMEND_CRASH="+op.name, "MAPMEND_CRASH_ROOT="+root, "MAPMEND_CRASH_AT="+strconv.Itoa(m.at))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != crashCode {
			t.Fatalf("the child did not crash: %v\n%s", err, out)
		}
		recovered, err := Recover(root)
		check(t, err)
		wantEither(t, op, root, recovered)
		if again, err := Recover(root); again || err != nil {
			t.Errorf("second Recover: %v, %v, want false", again, err)
		}
	})
}

// crashCode is the exit code of a process that TestCrash ends.
const crashCode = 87

// TestCrashChild is the process that TestCrash ends.
func TestCrashChild(t *testing.T) {
	name := os.Getenv("MAPMEND_CRASH")
	if name == "" {
		t.Skip("only as a child of TestCrash")
	}
	at, err := strconv.Atoi(os.Getenv("MAPMEND_CRASH_AT"))
	check(t, err)
	d := &fault{disk: osDisk{}, at: at, fail: func() error { os.Exit(crashCode); return nil }}
	for _, op := range operations() {
		if op.name == name {
			t.Fatal(op.do(os.Getenv("MAPMEND_CRASH_ROOT"), d))
		}
	}
}

// wantEither checks that an operation left all or nothing behind, nothing if it was recovered.
func wantEither(t *testing.T, op operation, root string, recovered bool) {
	t.Helper()
	got := readTree(t, root)
	if !recovered && cmp.Equal(op.to, got) {
		return
	}
	if d := cmp.Diff(op.from, got); d != "" {
		t.Fatalf("recovered %v, files neither as before nor as after; (-before +got):\n%s", recovered, d)
	}
	check(t, op.do(root, osDisk{}))
	wantTree(t, root, op.to)
}

// TestRecoverKeepsLaterWork has somebody change files between the crash and the recovery.
func TestRecoverKeepsLaterWork(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"a.go", "sub/new.go", "z/empty.go"} { // replaced, created, not yet replaced
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			interrupt(t, root, "z/empty.go")
			mustWrite(t, filepath.Join(root, file), "mine")
			want := readTree(t, root)
			for range 2 {
				_, err := Recover(root)
				wantError(t, err, file+": holds neither its old nor its new content", "remove ")
				wantError(t, Commit(root, furtherEdits()), file+": holds neither")
				wantError(t, undo(root), file+": holds neither")
				wantTree(t, root, want)
				wantState(t, root, "journal")
			}
		})
	}
}

// TestRollBackKeepsLaterWork has somebody change a file between its turn and a failure.
func TestRollBackKeepsLaterWork(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	d := &fault{disk: osDisk{}, fail: func() error { return errFault }}
	d.watch = func(step string) {
		if d.at == 0 && strings.HasPrefix(step, "rename ") && strings.HasSuffix(step, "empty.go") {
			check(t, os.WriteFile(filepath.Join(root, "a.go"), []byte("mine"), 0o644))
			d.at = d.n
		}
	}
	err := commitOn(root, d, edits())
	wantError(t, err, "injected fault", "a.go: holds neither its old nor its new content", "the run is not taken back yet")
	want := maps.Clone(before)
	want["a.go"] = "-rw-r--r-- mine"
	got := readTree(t, root)
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasSuffix(name, ".tmp") })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	mustWrite(t, filepath.Join(root, "a.go"), "package a\n")
	recovered, err := Recover(root)
	check(t, err)
	if !recovered {
		t.Error("nothing recovered")
	}
	wantTree(t, root, before)
	wantState(t, root)
}

// TestRecoverWithoutFolder has the folder of a created file removed after the crash.
func TestRecoverWithoutFolder(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	check(t, os.Mkdir(filepath.Join(root, "made"), 0o777))
	d := dead(0, false)
	d.watch = func(step string) {
		if strings.HasPrefix(step, "write ") && strings.HasSuffix(step, ".tmp") {
			d.at = d.n
		}
	}
	err := commitOn(root, d, []Change{{File: "made/x.go", New: []byte("x"), Create: true}})
	wantError(t, err, "injected fault")
	check(t, os.RemoveAll(filepath.Join(root, "made")))
	recovered, err := Recover(root)
	check(t, err)
	if !recovered {
		t.Error("nothing recovered")
	}
	wantTree(t, root, before)
	wantState(t, root)
}

// TestUndoInterrupted asks for an undo after a crash: of the run, and of an undo.
func TestUndoInterrupted(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	interrupt(t, root, "z/empty.go")
	check(t, undo(root))
	wantTree(t, root, before)
	wantState(t, root)

	// An interrupted run is the last one; the one before it stays.
	check(t, Commit(root, []Change{{File: "other.go", New: []byte("x"), Create: true, Mode: 0o600}}))
	interrupt(t, root, "z/empty.go")
	check(t, undo(root))
	withOther := readTree(t, root)
	if len(withOther) != len(before)+1 {
		t.Errorf("Undo of an interrupted run took back another one too:\n%v", withOther)
	}
	check(t, undo(root))
	wantTree(t, root, before)

	check(t, Commit(root, edits()))
	d := dead(0, false)
	d.watch = func(step string) {
		if strings.HasPrefix(step, "remove ") && strings.HasSuffix(step, "new.go") {
			d.at = d.n
		}
	}
	if err := undoOn(root, d); !errors.Is(err, errFault) {
		t.Fatalf("error %v, want %v", err, errFault)
	}
	wantState(t, root, "journal", "last")
	check(t, undo(root))
	wantTree(t, root, before)
}

// TestRecoverWritesNothing looks for a journal where no run ever was.
func TestRecoverWritesNothing(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	if recovered, err := Recover(root); recovered || err != nil {
		t.Errorf("Recover: %v, %v, want false", recovered, err)
	}
	if _, err := os.Stat(filepath.Join(root, ".git", "mapmend")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder for the journal: %v", err)
	}
}
