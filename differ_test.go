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
	"slices"
	"strings"
	"testing"
	"time"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/rewrite"
	"mapmend/rewrite/verify"
)

var (
	programs = flag.Int("programs", 24, "mend and run so many programs that are made at random")
	seed     = flag.Uint64("seed", 1, "make them from this seed")
)

// numbers are what tells programs apart.
var numbers = regexp.MustCompile(`[0-9]+`)

// perPackage is how many programs are built as one package.
const perPackage = 40

// variants are the ways in which each program is mended: lists of forms, none for what the tool chooses.
var variants = map[string][]plan.Form{"auto": nil, "lock": {plan.Lock}, "rwmutex": {plan.RWMutex}}

func TestSameBehaviour(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs hundreds of programs")
	}
	race := haveRace(t)
	p := &pipeline{memory: newMemory(t)}
	random := rand.New(rand.NewPCG(*seed, 0))
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.26\n"))
	b := &binary{dir: dir, packages: make(map[string][]string)}
	sources := make(map[string]string)
	why := make(map[string]int)
	refusals, mended := make(map[string]int), make(map[string]int)
	safe := make(map[string]bool)
	for n := range *programs {
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		suffix := fmt.Sprint(n)
		src := runnable(t, data, suffix)
		sources[suffix] = src
		b.add(t, "before", n, map[string]string{"p" + suffix + ".go": src})
		for _, name := range slices.Sorted(maps.Keys(variants)) {
			files, refused, count := p.mended(t, "p"+suffix+".go", src, variants[name])
			for _, r := range refused {
				refusals[string(r.Code)]++
				why[string(r.Code)+": "+numbers.ReplaceAllString(r.Message, "N")]++
			}
			mended[name] += count
			if count == 0 {
				continue
			}
			b.add(t, name, n, files)
			safe[name+" "+suffix] = len(refused) == 0 && isPlain(src)
		}
	}
	b.finish(t)
	t.Logf("mended by form: %s; refusals of all forms by code: %s", counts(mended), counts(refusals))

	for _, reason := range slices.Sorted(maps.Keys(why)) {
		t.Logf("refused %d times: %s", why[reason], reason)
	}
	said := b.run(t, "run", nil)
	for _, id := range slices.Sorted(maps.Keys(said)) {
		form, suffix, _ := strings.Cut(id, " ")
		if want := said["before "+suffix]; said[id] != want {
			t.Errorf("program %s says something else in the form %s:\nbefore: %s\nafter:  %s\n%s\n%s", suffix, form, want, said[id], sources[suffix], b.read(t, form, suffix))
		}
	}
	if !race {
		return
	}
	for id, found := range b.run(t, "stress", safe) {
		if form, suffix, _ := strings.Cut(id, " "); found != "" {
			t.Errorf("program %s in the form %s: %s\n%s\n%s", suffix, form, found, sources[suffix], b.read(t, form, suffix))
		}
	}
}

// isPlain reports whether the elements of all maps of a program are values: mending a map does not guard what its elements
// lead to.
func isPlain(src string) bool {
	return !regexp.MustCompile(`\bm\d +map\[string\](\[\]|map|\*)`).MatchString(src)
}

// mended returns the files of the program src after all its map variables were mended, in the first of forms that is
// feasible, with what was refused, and the number of variables that were mended.
func (p *pipeline) mended(t *testing.T, name, src string, forms []plan.Form) (files map[string]string, refused []plan.Refusal, count int) {
	t.Helper()
	files = map[string]string{name: src, "help.go": runnableHelp}
	prog, err := p.load(files)
	if err != nil {
		t.Fatalf("the program does not load: %v\n%s", err, src)
	}
	opt := plan.Options{All: true, Forms: forms, MinConfidence: plan.Possible}
	made, err := plan.Make(prog, opt)
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
	later := slices.Concat(unwritten, unproved)
	for _, r := range later {
		t.Logf("%s: %s: %s\n%s", r.Var, r.Code, r.Message, diffOf(t, changes))
	}
	for _, c := range proved {
		files[c.File] = string(c.New)
	}
	delete(files, "help.go")
	for _, prog := range p.loaded {
		p.memory.forget(prog)
	}
	p.loaded = nil
	return files, append(made.Refusals, later...), len(made.Mends) - variables(later)
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
		fmt.Fprintf(&uses, "\trun(%q, %s.Runs, %s.Stresses)\n", form, pkg, pkg)
		var all strings.Builder
		all.WriteString("package m\n\nvar Runs = map[string]func() string{\n")
		for _, n := range b.packages[pkg] {
			fmt.Fprintf(&all, "\t\"%s\": run%s,\n", n, n)
		}
		all.WriteString("}\n\nvar Stresses = map[string]func(){\n")
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
	"time"

%s)

func run(form string, runs map[string]func() string, stresses map[string]func()) {
	for name, f := range runs {
		if len(os.Args) > 2 && os.Args[2] != form+" "+name {
			continue
		}
		done := make(chan string, 1)
		go func() {
			if os.Args[1] == "run" {
				done <- f()
				return
			}
			stresses[name]()
			done <- ""
		}()
		select {
		case out := <-done:
			fmt.Printf("%%s %%s\t%%s\n", form, name, out)
		case <-time.After(3 * time.Second):
			fmt.Printf("%%s %%s\tHANGS\n", form, name)
		}
	}
}

func main() {
%s}
`

// run builds the module and runs all programs, or with raced those under -race. What they say is by form and number; with
// raced that is what the race detector or the runtime says, if anything.
func (b *binary) run(t *testing.T, how string, raced map[string]bool) map[string]string {
	t.Helper()
	race := raced != nil
	exe := filepath.Join(b.dir, how+".exe")
	args := []string{"build", "-o", exe}
	if race {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = b.dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the programs do not build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	said := make(map[string]string)
	if !race {
		out, err := exec.CommandContext(ctx, exe, how).Output()
		if err != nil {
			t.Fatalf("the programs do not run: %v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			id, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			said[id] = text
		}
		return said
	}
	for _, pkg := range slices.Sorted(maps.Keys(b.packages)) {
		form := strings.TrimRight(pkg, "0123456789")
		for _, n := range b.packages[pkg] {
			id := form + " " + n
			if !raced[id] {
				continue
			}
			cmd := exec.CommandContext(ctx, exe, how, id)
			cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1 exitcode=66")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			switch {
			case strings.Contains(string(out), "HANGS"):
				said[id] = "it hangs"
			case err != nil:
				said[id] = cmp.Or(stderr.String(), err.Error())
			default:
				said[id] = ""
			}
		}
	}
	return said
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
