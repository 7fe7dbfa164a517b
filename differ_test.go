package main

// This file mends programs that were made at random and runs them before and after: what they say must be the same, and
// where every map variable was mended, the race detector must be silent and nothing hang.
//
//	go test -run TestSameBehaviour -v . -args -programs=10000

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
	"mapmend/rewrite/verify"
)

var (
	programs = flag.Int("programs", 100, "mend and run so many programs that are made at random")
	seed     = flag.Uint64("seed", 1, "make them from this seed")
)

// numbers are what tells programs apart.
var numbers = regexp.MustCompile(`[0-9]+`)

// perPackage is how many programs are built as one package.
const perPackage = 40

// variantsOf returns the ways in which program number n is mended: lists of forms, none for what the tool chooses. The
// forms that differ from rwmutex only in what is generated take turns.
func variantsOf(n int) map[string][]plan.Form {
	variants := map[string][]plan.Form{"auto": nil, "lock": {plan.Lock}, "rwmutex": {plan.RWMutex}}
	turns := []plan.Form{plan.Sharded, plan.SyncMap, plan.Snapshot}
	form := turns[n%len(turns)]
	variants[string(form)] = []plan.Form{form}
	return variants
}

func TestSameBehaviour(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs hundreds of programs")
	}
	race := haveRace(t)
	random := rand.New(rand.NewPCG(*seed, 0))
	sources := make([]source, *programs)
	for n := range sources {
		sources[n] = madeAtRandom(t, random, n)
	}
	mends := mendAll(t, sources)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.26\n"))
	b := &binary{dir: dir, packages: make(map[string][]string)}
	why, mended, refused := make(map[string]int), make(map[string]int), make(map[string]int)
	var raced []string
	for n, src := range sources {
		b.add(t, "before", n, src.files)
		for _, form := range slices.Sorted(maps.Keys(variantsOf(n))) {
			m := mends[n][form]
			for _, r := range m.refused {
				why[form+": "+string(r.Code)+": "+numbers.ReplaceAllString(r.Message, "N")]++
			}
			mended[form+src.kind] += m.count
			refused[form+src.kind] += len(m.refused)
			if m.count == 0 {
				continue
			}
			b.add(t, form, n, m.files)
			if len(m.refused) == 0 && src.plain {
				raced = append(raced, fmt.Sprint(form, " ", n))
			}
		}
	}
	b.finish(t)
	t.Logf("mended by form: %s; refused: %s; %d programs are run with -race", counts(mended), counts(refused), len(raced))
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		t.Logf("refused %d times: %s", why[reason], reason)
	}
	complain := func(id, what string) {
		form, suffix, _ := strings.Cut(id, " ")
		n, err := strconv.Atoi(suffix)
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("program %d, in the form %s, %s\n%s\n%s", n, form, what, sources[n].text(), b.read(t, form, suffix))
	}
	said := b.run(t, b.build(t, "run.exe")) // without -race: with it the compiler evaluates in another order
	for _, id := range slices.Sorted(maps.Keys(said)) {
		_, suffix, _ := strings.Cut(id, " ")
		if want := said["before "+suffix]; said[id] != want {
			complain(id, fmt.Sprintf("says something else:\nbefore: %s\nafter:  %s", want, said[id]))
		}
	}
	if race {
		found := b.stress(t, b.build(t, "stress.exe", "-race"), raced)
		for _, id := range slices.Sorted(maps.Keys(found)) {
			complain(id, "is not safe: "+found[id])
		}
	}
}

// A mendedSource is a program in one form.
type mendedSource struct {
	files   map[string]string
	refused []plan.Refusal
	count   int // of variables that were mended
}

// mendAll returns all programs in all forms.
func mendAll(t *testing.T, sources []source) []map[string]mendedSource {
	t.Helper()
	all := make([]map[string]mendedSource, len(sources))
	workers := runtime.GOMAXPROCS(0)
	t.Run("mend", func(t *testing.T) {
		for w := range workers {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				p := &pipeline{memory: newMemory(t)}
				for n := w; n < len(sources); n += workers {
					all[n] = make(map[string]mendedSource)
					for form, forms := range variantsOf(n) {
						all[n][form] = p.mended(t, sources[n], forms)
					}
				}
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// A source is a program that was made at random.
type source struct {
	files map[string]string
	kind  string // what is said behind its form
	plain bool   // once every map variable is mended, nothing is left to race
}

// text returns all files of the program.
func (s source) text() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, s.files[name])
	}
	return b.String()
}

// madeAtRandom returns program number n. In one of four the maps are used as anybody may, in the others once in each method.
func madeAtRandom(t *testing.T, random *rand.Rand, n int) source {
	t.Helper()
	data := make([]byte, 1000)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	if n%4 == 0 {
		return runnable(t, data, fmt.Sprint(n))
	}
	return single(t, data, fmt.Sprint(n))
}

// mended returns src after all its map variables were mended, in the first of forms that is feasible. What another run would change
// is an error.
func (p *pipeline) mended(t *testing.T, src source, forms []plan.Form) mendedSource {
	t.Helper()
	files := maps.Clone(src.files)
	files["help.go"] = runnableHelp
	opt := plan.Options{All: true, Forms: forms, MinConfidence: plan.Possible}
	made, changes, proved, later := p.mend(t, src, files, opt)
	for _, r := range later {
		t.Errorf("%s: %s: %s\n%s\n%s", r.Var, r.Code, r.Message, src.text(), diffOf(t, changes))
	}
	for _, c := range proved {
		files[c.File] = string(c.New)
	}
	if len(made.Refusals) > 0 {
		if _, _, again, _ := p.mend(t, src, files, opt); len(again) > 0 {
			for _, r := range made.Refusals {
				t.Logf("%s:%d: %s: %s: %s", r.Pos.File, r.Pos.Line, r.Var, r.Code, r.Message)
			}
			t.Errorf("in forms %v another run changes more:\n%s\n%s", forms, diffOf(t, again), src.text())
		}
	}
	delete(files, "help.go")
	return mendedSource{files, append(made.Refusals, later...), len(made.Mends) - variables(later)}
}

// mend makes the plan of files, which src became, and carries it out. It returns the plan, what it asks for, what of that is proved,
// and the refusals that come after the plan.
func (p *pipeline) mend(t *testing.T, src source, files map[string]string, opt plan.Options) (made *plan.Plan, changes, proved []rewrite.Change, later []plan.Refusal) {
	t.Helper()
	prog, err := p.load(files)
	if err != nil {
		t.Fatalf("the program does not load: %v\n%s", err, src.text())
	}
	made, err = plan.Make(prog, opt)
	if err != nil {
		t.Fatal(err)
	}
	changes, unwritten := rewrite.Rewrite(prog, made)
	proved, unproved, err := verify.Prove(prog, made, changes, verify.Options{Load: p.memory.overlaid(files), Analyze: func(prog *load.Program) (*plan.Plan, error) {
		p.loaded = append(p.loaded, prog)
		return plan.Make(prog, opt)
	}, Confidence: plan.Possible})
	if err != nil {
		t.Fatalf("the mended program does not load: %v\n%s", err, diffOf(t, changes))
	}
	for _, prog := range p.loaded {
		p.memory.forget(prog)
	}
	p.loaded = nil
	return made, changes, proved, slices.Concat(unwritten, unproved)
}

// A binary is the module that holds all programs, each before and after.
type binary struct {
	dir      string
	packages map[string][]string // programs by package
}

// add puts program number n, in a form, into the module.
func (b *binary) add(t *testing.T, form string, n int, files map[string]string) {
	t.Helper()
	pkg := fmt.Sprintf("%s%d", form, n/perPackage)
	if b.packages[pkg] == nil {
		writeFile(t, filepath.Join(b.dir, pkg, "help.go"), []byte(runnableHelp))
	}
	b.packages[pkg] = append(b.packages[pkg], fmt.Sprint(n))
	for name, src := range files {
		writeFile(t, filepath.Join(b.dir, pkg, name), []byte(src))
	}
}

// finish writes what runs the programs.
func (b *binary) finish(t *testing.T) {
	t.Helper()
	var imports, uses strings.Builder
	for _, pkg := range slices.Sorted(maps.Keys(b.packages)) {
		fmt.Fprintf(&imports, "\t%s \"m/%s\"\n", pkg, pkg)
		form := strings.TrimRight(pkg, "0123456789")
		fmt.Fprintf(&uses, "\trun(%q, choose(stress, %s.Stresses, %s.Runs))\n", form, pkg, pkg)
		var all strings.Builder
		all.WriteString("package m\n\nvar Runs = map[string]func() string{\n")
		for _, n := range b.packages[pkg] {
			fmt.Fprintf(&all, "\t\"%s\": run%s,\n", n, n)
		}
		all.WriteString("}\n\nvar Stresses = map[string]func() string{\n")
		for _, n := range b.packages[pkg] {
			fmt.Fprintf(&all, "\t\"%s\": stress%s,\n", n, n)
		}
		all.WriteString("}\n")
		writeFile(t, filepath.Join(b.dir, pkg, "all.go"), []byte(all.String()))
	}
	writeFile(t, filepath.Join(b.dir, "main.go"), fmt.Appendf(nil, runsAll, imports.String(), uses.String()))
}

// runsAll is the main package: it runs each program in a goroutine of its own and gives up on it after a while.
const runsAll = `package main

import (
	"fmt"
	"os"
	"slices"
	"time"

%s)

var hanging int

func run(form string, programs map[string]func() string) {
	for name, f := range programs {
		if len(os.Args) > 2 && !slices.Contains(os.Args[2:], form+" "+name) {
			continue
		}
		done := make(chan string, 1)
		go func() { done <- f() }()
		select {
		case out := <-done:
			fmt.Printf("%%s %%s\t%%s\n", form, name, out)
		case <-time.After(3 * time.Second):
			fmt.Printf("%%s %%s\tHANGS\n", form, name)
			if hanging++; hanging == 5 {
				os.Exit(0) // the others would take hours
			}
		}
	}
}

func main() {
	stress := os.Args[1] == "stress"
%s}

func choose(first bool, a, b map[string]func() string) map[string]func() string {
	if first {
		return a
	}
	return b
}
`

// build builds the module.
func (b *binary) build(t *testing.T, name string, flags ...string) (exe string) {
	t.Helper()
	exe = filepath.Join(b.dir, name)
	build := exec.Command("go", slices.Concat([]string{"build", "-ldflags=-s -w", "-o", exe}, flags, []string{"."})...)
	build.Dir = b.dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the programs do not build: %v\n%s", err, out)
	}
	return exe
}

// said returns what programs say, by form and number, in what the binary printed.
func (b *binary) said(out []byte) map[string]string {
	said := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		id, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		said[id] = text
	}
	return said
}

// run runs all programs, each in one goroutine. What they say is by form and number.
func (b *binary) run(t *testing.T, exe string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "run")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the programs do not run: %v\n%s", err, stderr.String())
	}
	return b.said(out)
}

// stress runs the programs ids, each in several goroutines. It returns what the race detector, the runtime or the program
// found, by form and number.
func (b *binary) stress(t *testing.T, exe string, ids []string) map[string]string {
	t.Helper()
	if found, ok := b.stressed(t, exe, ids); ok {
		return found
	}
	// Which one it was is not known: from now on each has a process of its own.
	found := make(map[string]string)
	for _, id := range ids {
		maps.Copy(found, first(b.stressed(t, exe, []string{id})))
		if len(found) == 10 {
			break
		}
	}
	return found
}

func first[A, B any](a A, _ B) A { return a }

// stressed runs some programs in one process. It reports whether that came to its end without a race; if not, what is found
// is said of the first.
func (b *binary) stressed(t *testing.T, exe string, ids []string) (found map[string]string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, append([]string{"stress"}, ids...)...)
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1 exitcode=66")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return map[string]string{ids[0]: cmp.Or(stderr.String(), err.Error())}, false
	}
	found = b.said(out)
	maps.DeleteFunc(found, func(_, what string) bool { return what == "" })
	return found, true
}

// read returns the files of a program in a form.
func (b *binary) read(t *testing.T, form, suffix string) string {
	t.Helper()
	var out strings.Builder
	names, err := filepath.Glob(filepath.Join(b.dir, form+"*", "*"+suffix+"*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "-- %s --\n%s", filepath.Base(name), src)
	}
	return out.String()
}
