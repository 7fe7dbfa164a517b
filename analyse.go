package main

// This file has what every command needs to load and plan, which load.go does, and to
// print: file names as the user would type them, errors, counts.

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
	"mapmend/plan/report"
)

// loading returns how the flags ask to load the packages that patterns name in the folder dir, with overlay over their files.
func (inv *invocation) loading(dir string, patterns []string, overlay map[string][]byte) load.Config {
	return load.Config{Dir: dir, Patterns: patterns, Tags: inv.tags, Tests: inv.tests, Overlay: overlay, Importers: true, Context: inv.signals.hold, Progress: inv.progress.step}
}

// largeProgram is how many bytes of source a program may have before memory counts for more than time.
const largeProgram = 3 << 20

func sourceSize(prog *load.Program) (n int) {
	for _, pkg := range prog.Packages {
		for _, f := range pkg.Files {
			n += len(f.Src)
		}
	}
	return n
}

// loadError prints e as file:line:col: message.
func (inv *invocation) loadError(prog *program, e load.Error) {
	if e.File == "" {
		inv.errorf("%v", e)
		return
	}
	e.File = inv.rel(prog.Root)(e.File)
	fmt.Fprintln(inv.stderr, e)
}

func (inv *invocation) options() plan.Options {
	return plan.Options{Forms: inv.forms, AllAccessors: inv.accessors.value == "all", EmitTests: inv.emitTests, Fields: inv.fields, All: inv.all, Silent: inv.silent, MinConfidence: inv.minConfidence.Confidence, Config: inv.settings, Progress: inv.progress.step}
}

// comment prints what the author said that has no effect and, with -v, which findings were silenced and by what.
func (inv *invocation) comment(prog *program, p *plan.Plan) {
	posn := func(p plan.Pos) string {
		return fmt.Sprintf("%s:%d:%d", inv.rel(prog.Root)(p.File), p.Line, p.Column)
	}
	for _, text := range p.Unnamed {
		inv.notef("%s", text)
	}
	inv.tellUnread()
	for _, text := range p.Measured {
		inv.stepf("%s", text)
	}
	for _, n := range p.Notes {
		if !inv.quiet {
			fmt.Fprintf(inv.stderr, "%s: warning: %s\n", posn(n.Pos), n.Message)
		}
	}
	for _, s := range p.Silenced {
		reason := ""
		if s.Reason != "" {
			reason = ": " + s.Reason
		}
		inv.stepf("%s: a %s finding on %s is silenced by %s%s", posn(s.Pos), s.Confidence, s.Var, s.By, reason)
	}
}

// abs returns the absolute name of a file that the user names relative to the working directory.
func (inv *invocation) abs(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(inv.dir, file)
}

// rel returns the function that turns a file, absolute or relative to root, into a slash-separated name
// relative to the working directory. A file on another volume keeps its absolute name.
func (inv *invocation) rel(root string) func(file string) string {
	dir, root := resolve(inv.dir), resolve(root)
	return func(file string) string {
		if file = filepath.FromSlash(file); !filepath.IsAbs(file) {
			file = filepath.Join(root, file)
		} else {
			file = filepath.Join(resolve(filepath.Dir(file)), filepath.Base(file))
		}
		if name, err := filepath.Rel(dir, file); err == nil {
			file = name
		}
		return filepath.ToSlash(file)
	}
}

// resolve returns dir without symbolic links, or dir itself: the go command and the shell may name one folder in two ways.
func resolve(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// report returns the presentation that the flags ask for, for output about prog that goes to w.
func (inv *invocation) report(w io.Writer, prog *program) report.Options {
	sources := make(map[string][]byte)
	for _, b := range prog.builds {
		for _, pkg := range b.Prog.Packages {
			for _, f := range pkg.Files {
				sources[f.Name] = f.Src
			}
		}
	}
	source := func(file string) []byte {
		if src, ok := sources[file]; ok {
			return src
		}
		return inv.read(prog.Root, file) // what is recalled of a program is without its files
	}
	return report.Options{Rel: inv.rel(prog.Root), Source: source, Version: buildVersion(), Color: inv.coloured(w), Verbose: inv.verbose}
}

// read returns what the file holds that a program with that root calls file; nil if it cannot be read.
func (inv *invocation) read(root, file string) []byte {
	if file = filepath.FromSlash(file); !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	if src, ok := inv.overlay[file]; ok {
		return src
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return src
}

// coloured reports whether output to w is to have colours.
func (inv *invocation) coloured(w io.Writer) bool {
	switch inv.color.value {
	case "always":
		return true
	case "never":
		return false
	}
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// errorf prints one error.
func (inv *invocation) errorf(format string, args ...any) {
	fmt.Fprintf(inv.stderr, "mapmend: "+format+"\n", args...)
}

// fail prints err and returns exitError; for a nil err it returns exitOK.
func (inv *invocation) fail(err error) int {
	if err == nil {
		return exitOK
	}
	inv.errorf("%v", err)
	return exitError
}

// notef prints a line that is neither result nor error, unless -q.
func (inv *invocation) notef(format string, args ...any) {
	if !inv.quiet {
		fmt.Fprintf(inv.stderr, "mapmend: "+format+"\n", args...)
	}
}

// stepf prints what was just done, with -v.
func (inv *invocation) stepf(format string, args ...any) {
	if inv.verbose {
		inv.notef(format, args...)
	}
}

// print writes text to standard output and returns the exit code.
func (inv *invocation) print(text string) int {
	_, err := io.WriteString(inv.stdout, text)
	return inv.fail(err)
}

// count returns n with its noun: 1 file, 2 files.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", n, noun))
}
