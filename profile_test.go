package main

// This file tests that profiles of real programs lead to the map variables whose locks are hot, and what comes of that.

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/rogpeppe/go-internal/txtar"

	"mapmend/plan"
)

// waiter is a program in which goroutines wait for the lock that its first argument names. It leaves a mutex, a block and a CPU profile.
var waiter = map[string]string{
	"go.mod":     "module example.com/waiter\n\ngo 1.26\n\nrequire lib v1.0.0\n\nreplace lib => ./lib\n",
	"lib/go.mod": "module lib\n\ngo 1.26\n",
	"lib/lib.go": `package lib

import (
	"sync"
	"time"
)

var (
	mu    sync.Mutex
	calls = make(map[string]int)
)

// Count counts.
func Count(name string) {
	mu.Lock()
	defer mu.Unlock()
	time.Sleep(time.Millisecond)
	calls[name]++
}

// Lock is a lock of a library.
type Lock struct{ mu sync.Mutex }

func (l *Lock) Lock()   { l.mu.Lock() }
func (l *Lock) Unlock() { l.mu.Unlock() }
`,
	"store/store.go": `package store

import (
	"sync"
	"time"

	"lib"
)

type Store[V any] struct {
	mu     sync.Mutex
	byID   map[string]V
	read   sync.RWMutex
	rows   map[string]V
	other  lib.Lock
	foreign map[string]V
	cold   sync.Mutex
	colds  map[string]V
}

func New[V any]() *Store[V] {
	return &Store[V]{byID: map[string]V{}, rows: map[string]V{}, foreign: map[string]V{}, colds: map[string]V{}}
}

func hold() { time.Sleep(time.Millisecond) }

func (s *Store[V]) Defer(k string, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold()
	s.byID[k] = v
}

func (s *Store[V]) Bracket(k string) V {
	s.mu.Lock()
	v := s.byID[k]
	hold()
	s.mu.Unlock()
	return v
}

func (s *Store[V]) lock()   { s.mu.Lock() }
func (s *Store[V]) unlock() { s.mu.Unlock() }

func (s *Store[V]) Helper(k string, v V) {
	s.lock()
	defer s.unlock()
	hold()
	s.byID[k] = v
}

func (s *Store[V]) Literal(k string, v V) {
	func() {
		s.mu.Lock()
		defer func() {
			s.mu.Unlock()
		}()
		hold()
		s.byID[k] = v
	}()
}

func (s *Store[V]) Read(k string) V {
	s.read.RLock()
	defer s.read.RUnlock()
	return s.rows[k]
}

func (s *Store[V]) Write(k string, v V) {
	s.read.Lock()
	defer s.read.Unlock()
	hold()
	s.rows[k] = v
}

func (s *Store[V]) Foreign(k string, v V) {
	s.other.Lock()
	defer s.other.Unlock()
	hold()
	s.foreign[k] = v
}

func (s *Store[V]) Cold(k string, v V) {
	s.cold.Lock()
	defer s.cold.Unlock()
	s.colds[k] = v
}

// Names is beside it.
type Names struct {
	sync.Mutex
	set map[string]bool
}

func (n *Names) Embedded(k string) {
	n.Lock()
	defer n.Unlock()
	hold()
	if n.set == nil {
		n.set = make(map[string]bool)
	}
	n.set[k] = true
}

var (
	globalMu sync.Mutex
	global   = map[string]int{}
)

func Global(k string) {
	globalMu.Lock()
	defer globalMu.Unlock()
	hold()
	global[k]++
}
`,
	"store/store_test.go": `package store

import (
	"sync"
	"testing"
)

func TestStore(t *testing.T) {
	s := New[int]()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				s.Defer("a", 1)
				s.Cold("a", 1)
			}
		})
	}
	wg.Wait()
}
`,
	"main.go": `package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"

	"example.com/waiter/store"
	"lib"
)

func main() {
	runtime.GOMAXPROCS(2)
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	s := store.New[int]()
	names := new(store.Names)
	do := map[string]func(int){
		"defer":    func(int) { s.Defer("a", 1) },
		"bracket":  func(int) { s.Bracket("a") },
		"helper":   func(int) { s.Helper("a", 1) },
		"literal":  func(int) { s.Literal("a", 1) },
		"rwmutex":  func(i int) { if i == 0 { s.Write("a", 1) } else { s.Read("a") } },
		"foreign":  func(int) { s.Foreign("a", 1) },
		"embedded": func(int) { names.Embedded("a") },
		"global":   func(int) { store.Global("a") },
		"lib":      func(int) { lib.Count("a") },
	}[os.Args[1]]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				do(i)
				s.Cold("a", 1)
			}
		})
	}
	wg.Wait()
	for _, name := range []string{"mutex", "block"} {
		f, err := os.Create(filepath.Join(os.Args[2], name))
		if err == nil {
			err = pprof.Lookup(name).WriteTo(f, 0)
		}
		if err != nil {
			panic(err)
		}
		f.Close()
	}
}
`,
}

// contended returns the variables that check finds to be contended by the evidence, and what it says besides.
func contended(t *testing.T, dir, evidence string) (names, note string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"check", "-C", dir, "--evidence", evidence, "--min-confidence", "proven"}, &stdout, &stderr); code != exitOK {
		t.Errorf("exit %d\n%s%s", code, &stdout, &stderr)
	}
	var found []string
	for line := range strings.SplitSeq(stdout.String(), "\n") {
		if strings.Contains(line, ": proven contended: ") {
			found = append(found, strings.Split(line, ": ")[2])
		}
	}
	return strings.Join(found, " "), stderr.String()
}

func TestProfiles(t *testing.T) {
	dir := module(t, waiter)
	build := func(flags ...string) string {
		exe := filepath.Join(t.TempDir(), "waiter")
		goIn(t, dir, append(append([]string{"build", "-o", exe}, flags...), ".")...)
		return exe
	}
	plain, trimmed, unoptimised := build(), build("-trimpath"), build("-gcflags=all=-l -N")
	for _, test := range []struct{ name, exe, mode, want, note string }{
		{"defer", plain, "defer", "store.Store.byID", ""},
		{"defer, trimmed paths", trimmed, "defer", "store.Store.byID", ""},
		{"defer, not inlined", unoptimised, "defer", "store.Store.byID", ""},
		{"bracket", plain, "bracket", "store.Store.byID", ""},
		{"helper", plain, "helper", "store.Store.byID", ""},
		{"helper, not inlined", unoptimised, "helper", "store.Store.byID", ""},
		{"literal", plain, "literal", "store.Store.byID", ""},
		{"rwmutex", plain, "rwmutex", "store.Store.rows", ""},
		{"a lock of a library", plain, "foreign", "store.Store.foreign", ""},
		{"embedded", plain, "embedded", "store.Names.set", ""},
		{"package variable", trimmed, "global", "store.global", ""},
		{"in a library", plain, "lib", "", "it names no lock around a map variable of these packages, but lib.Count at lib.go:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			if text, err := exec.Command(test.exe, test.mode, out).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			for _, kind := range []string{"mutex", "block"} {
				got, note := contended(t, dir, filepath.Join(out, kind))
				if got != test.want || !strings.Contains(note, test.note) && !strings.Contains(note, "store.Store.colds") {
					t.Errorf("%s profile: contended %q, want %q\n%s", kind, got, test.want, note)
				}
			}
		})
	}
	out := t.TempDir()
	goIn(t, dir, "test", "-mutexprofile", filepath.Join(out, "mutex"), "-mutexprofilefraction=1", "-blockprofile", filepath.Join(out, "block"), "-o", filepath.Join(out, "test"), "./store")
	for _, kind := range []string{"mutex", "block"} {
		if got, note := contended(t, dir, filepath.Join(out, kind)); got != "store.Store.byID" {
			t.Errorf("%s profile of a test: contended %q\n%s", kind, got, note)
		}
	}
	if got, note := contended(t, module(t, racy), filepath.Join(out, "mutex")); got != "" || !strings.Contains(note, "it names no lock around a map variable") {
		t.Errorf("of another program: contended %q\n%s", got, note)
	}
}

// goIn runs the go command in a module.
func goIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
}

// counting is a module with a variable that nothing guards, used in each of two lines.
var counting = map[string]string{
	"go.mod": "module example.com/counting\n\ngo 1.26\n",
	"main.go": `package main

type counters struct{ hits map[int]int }

func (c *counters) add(n int)      { c.hits[n]++ }
func (c *counters) get(n int) int { return c.hits[n] }

func main() {
	c := &counters{hits: map[int]int{}}
	done := make(chan bool)
	for range 4 {
		go func() {
			c.add(1)
			c.get(1)
			done <- true
		}()
	}
	<-done
}
`,
}

// cpuProfile writes a CPU profile with so many samples in each of the functions of counting, and elsewhere.
func cpuProfile(t *testing.T, add, get, elsewhere int64) string {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}, PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 1e7}
	for i, s := range []struct {
		name string
		line int64
		n    int64
	}{{"main.(*counters).add", 5, add}, {"main.(*counters).get", 6, get}, {"main.main", 11, elsewhere}} {
		id := uint64(2*i + 1)
		leaf := &profile.Function{ID: id, Name: "runtime.mapaccess1_fast64", Filename: "/usr/local/go/src/runtime/map.go"}
		fn := &profile.Function{ID: id + 1, Name: s.name, Filename: "/src/counting/main.go"}
		loc := &profile.Location{ID: id, Line: []profile.Line{{Function: leaf, Line: 9}, {Function: fn, Line: s.line}}}
		p.Function, p.Location = append(p.Function, leaf, fn), append(p.Location, loc)
		p.Sample = append(p.Sample, &profile.Sample{Location: []*profile.Location{loc}, Value: []int64{s.n, s.n * 1e7}})
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cpu.prof")
	writeFile(t, file, b.Bytes())
	return file
}

// TestCPUProfile checks that samples weigh the uses, and show that a variable is hot, if there are enough.
func TestCPUProfile(t *testing.T) {
	dir := module(t, counting)
	for _, test := range []struct {
		name                string
		add, get, elsewhere int64
		want                []string // of what explain prints
	}{
		{"hot", 400, 500, 100, []string{"form: sharded,", "weighed: loads 900, changes of an entry 400, few instances, hot, since 90 % of the samples in ", "; sampled by "}},
		{"not hot", 40, 70, 2000, []string{"form: lock,", "weighed: loads 110, changes of an entry 40, few instances, nothing shows that it is hot; sampled by "}},
		{"too few samples", 40, 59, 0, []string{"form: lock,", "nothing shows that it is hot; read from the source"}},
		{"mostly loads", 0, 900, 0, []string{"form: syncmap,", "loads 901, changes of an entry 1,"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mustRun(t, exitOK, "explain", "hits", "-C", dir, "--evidence", cpuProfile(t, test.add, test.get, test.elsewhere))
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// lockText is a mutex profile of (*Store).Put of racy, which has so many waits of ten milliseconds.
func lockText(waits int) string {
	return fmt.Sprintf("--- mutex:\ncycles/second=1000\nsampling period=1\n%d %d @ 0x1 0x2\n#\t0x1\tsync.(*Mutex).Unlock+0x1\t/go/src/sync/mutex.go:65\n#\t0x2\texample.com/app/session.(*Store).Put+0x1\t/src/store.go:13\n", 10*waits, waits)
}

// TestAnswerOfEvidence checks that an answer is not recalled for other evidence, be it in a file of the same name.
func TestAnswerOfEvidence(t *testing.T) {
	caching(t)
	dir := module(t, racy)
	file := filepath.Join(t.TempDir(), "mutex.prof")
	args := []string{"-C", dir, "--evidence", file}
	for _, waits := range []int{5, 7} {
		writeFile(t, file, []byte(lockText(waits)))
		if isRecalled(args...) {
			t.Errorf("with %d waits the answer from before is recalled", waits)
		}
		got, _ := said(args...)
		if want, _ := said(append([]string{"--no-cache"}, args...)...); got != want || !strings.Contains(got, fmt.Sprintf("in %d waits", waits)) {
			t.Errorf("with %d waits got\n%s\nwant\n%s", waits, got, want)
		}
		if !isRecalled(args...) {
			t.Errorf("with %d waits the answer is not recalled", waits)
		}
	}
	other := filepath.Join(t.TempDir(), "other.prof")
	writeFile(t, other, []byte(lockText(7)))
	if got, _ := said("-C", dir, "--evidence", other); !strings.Contains(got, "other.prof") {
		t.Errorf("with a file of another name it is not that which is named:\n%s", got)
	}
	if got, _ := said("-C", dir); strings.Contains(got, "waits") {
		t.Errorf("without evidence the answer with it is recalled:\n%s", got)
	}
	if verbose, _ := said("-v", "-C", dir, "--evidence", file); !strings.Contains(verbose, "nothing has changed") {
		t.Errorf("the answer with evidence is lost:\n%s", verbose)
	}
}

// TestMeasured checks that -v tells of locks that are not hot, also of a recalled answer.
func TestMeasured(t *testing.T) {
	caching(t)
	dir := module(t, racy)
	file := filepath.Join(t.TempDir(), "mutex.prof")
	writeFile(t, file, []byte(strings.Replace(lockText(1), "second=1000", "second=2000", 1)))
	for range 2 {
		got, _ := said("-v", "-C", dir, "--evidence", file)
		if want := "100 % of the time that goroutines waited for locks, 5ms, was for mu, around example.com/app/session.Store.byID"; !strings.Contains(got, want) || strings.Contains(got, "waits") {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got, _ := said("-C", dir, "--evidence", file); strings.Contains(got, "5ms") {
		t.Errorf("without -v it says\n%s", got)
	}
}

// TestPlanWithEvidence checks that a plan is carried out with the evidence that it was made with, and no other.
func TestPlanWithEvidence(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/sharded/contended.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"go.mod": "module example.com/sharded/contended\n\ngo 1.26\n"}
	for _, f := range archive.Files {
		files["sub/"+f.Name] = strings.ReplaceAll(string(f.Data), "/contended.(", "/contended/sub.(")
	}
	dir := filepath.Join(module(t, files), "sub")
	want := mustRun(t, exitOK, "-C", dir, "--evidence", "mutex.prof")
	if !strings.Contains(want, "hitsMMap") {
		t.Fatalf("the variable is not mended:\n%s", want)
	}
	file := filepath.Join(t.TempDir(), "plan.json")
	mustRun(t, exitOK, "plan", "-C", dir, "--evidence", "mutex.prof", "-o", file)
	if got := mustRun(t, exitOK, "apply", "-C", dir, file); got != want {
		t.Errorf("apply prints\n%s\nwant\n%s", got, want)
	}
	if got := mustRun(t, exitOK, "apply", "-C", filepath.Dir(dir), file); strings.ReplaceAll(got, "/sub/", "/") != want {
		t.Errorf("in another folder apply prints\n%s\nwant\n%s", got, want)
	}
	for name, text := range map[string]string{"other": lockText(3), "gone": ""} {
		prof := filepath.Join(dir, "mutex.prof")
		if os.Remove(prof); text != "" {
			writeFile(t, prof, []byte(text))
		}
		var stdout, stderr bytes.Buffer
		if code := run([]string{"apply", "-C", dir, file}, &stdout, &stderr); code != exitError || stdout.Len() > 0 {
			t.Errorf("with %s evidence: exit %d\n%s%s", name, code, &stdout, &stderr)
		}
	}
	mustRun(t, exitError, "plan", "-C", dir, "--evidence", "-")
}

// TestContendedMended runs a mended program beside itself: each form does what the map under its guard did.
func TestContendedMended(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/sharded/contended-shapes.txtar")
	if err != nil {
		t.Fatal(err)
	}
	driver := `package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

func TestTable(t *testing.T) {
	table := new(Table)
	table.Reset()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 200 {
				k := fmt.Sprint(j % 50)
				table.Add("all", k)
				table.Put(k, []string{k})
				table.Get(k)
				if !table.Has("all") || table.Len() == 0 {
					t.Error("what was added is not there")
				}
				table.Either(fmt.Sprint("e", i), j%2 == 0)
				table.Fill("filled", func(string) []string { return []string{"x"} })
				table.Keys()
			}
			table.Drop("0")
		})
	}
	wg.Wait()
	if all, ok := table.Get("all"); !ok || len(all) != 800 {
		t.Errorf("%d of 800 are there", len(all))
	}
	keys := table.Keys()
	slices.Sort(keys)
	if len(keys) != 51 || keys[0] != "1" || table.Len() != 51 {
		t.Errorf("%d keys, %d entries: %v", len(keys), table.Len(), keys)
	}
}
`
	for _, form := range plan.Forms {
		if form == plan.Lock {
			continue
		}
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"go.mod": "module example.com/sharded/contended-shapes\n\ngo 1.26\n", "store_test.go": driver}
			for _, f := range archive.Files {
				files[f.Name] = string(f.Data)
			}
			dir := module(t, files)
			goIn(t, dir, "test", ".")
			mustRun(t, exitOK, "-w", "-C", dir, "--evidence", "mutex.prof", "--form", string(form))
			if src, err := os.ReadFile(filepath.Join(dir, "store.go")); err != nil || strings.Contains(string(src), "t.mu.") || strings.Contains(string(src), "sync") {
				t.Errorf("the guard is there still: %v\n%s", err, src)
			}
			goIn(t, dir, "vet", ".")
			if haveRace(t) {
				goIn(t, dir, "test", "-race", ".")
			}
			if got := mustRun(t, exitOK, "-C", dir, "--evidence", "mutex.prof", "--form", string(form)); got != "" {
				t.Errorf("it would be mended again:\n%s", got)
			}
		})
	}
}
