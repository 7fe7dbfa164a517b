package vet

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"

	"mapmend/plan"
	"mapmend/plan/config"
	"mapmend/plan/load"
	"mapmend/plan/report"
)

// Analyzer reports shared maps that are not consistently guarded. It does not suggest fixes: what a mend changes is seldom in
// one package, and proved with all of them.
var Analyzer = New()

// New returns an analyzer that does what Analyzer does, with flags of its own.
func New() *analysis.Analyzer {
	var o options
	a := &analysis.Analyzer{
		Name:      "mapmend",
		Doc:       "report maps that goroutines share without one consistent guard",
		FactTypes: []analysis.Fact{new(facts)},
		Run:       func(pass *analysis.Pass) (any, error) { return nil, o.run(pass) },
	}
	a.Flags.Func("min-confidence", "the least confidence that counts: possible or likely", func(name string) (err error) {
		o.least, err = plan.ParseConfidence(name)
		return err
	})
	return a
}

// options are what the flags of an analyzer say.
type options struct {
	least plan.Confidence // Silent: the configuration says it
}

// facts is what the package of a pass tells those that import it.
type facts plan.Facts

func (*facts) AFact() {}

func (f *facts) String() string { return fmt.Sprintf("%d functions", len(f.Functions)) }

func (o *options) run(pass *analysis.Pass) error {
	if !isOwn(pass.Module) || len(pass.Files) == 0 {
		return nil
	}
	prog, err := program(pass)
	if err != nil {
		return err
	}
	opt := plan.Options{MinConfidence: o.least}
	if opt.Config, err = configuration(filepath.Dir(pass.Fset.PositionFor(pass.Files[0].Package, false).Filename)); err != nil {
		return err
	}
	if c := opt.Config; c != nil && opt.MinConfidence == plan.Silent && c.MinConfidence.Said() {
		if opt.MinConfidence, err = plan.ParseConfidence(c.MinConfidence.Text); err != nil {
			return err
		}
	}
	var imported []plan.Facts
	for _, f := range pass.AllPackageFacts() {
		if f, ok := f.Fact.(*facts); ok {
			imported = append(imported, plan.Facts(*f))
		}
	}
	findings, own, err := plan.Separate(prog, opt, imported)
	if err != nil {
		return err
	}
	if len(own.Functions) > 0 {
		pass.ExportPackageFact((*facts)(&own))
	}
	for _, f := range findings {
		pass.Report(diagnostic(prog, f))
	}
	return nil
}

// isOwn reports whether a package of the module m is one of the user's: it has no version, as those of the module cache have. The
// standard library has no module.
func isOwn(m *analysis.Module) bool { return m != nil && m.Path != "" && m.Version == "" }

// program returns the program that the package of pass is.
func program(pass *analysis.Pass) (*load.Program, error) {
	c := &load.Checked{Types: pass.Pkg, Info: pass.TypesInfo, Module: pass.Module.Path, GoVersion: strings.TrimPrefix(pass.Pkg.GoVersion(), "go")}
	root := ""
	for _, syntax := range pass.Files {
		name := pass.Fset.PositionFor(syntax.Package, false).Filename
		src, err := pass.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if root == "" {
			root = moduleRoot(filepath.Dir(name))
		}
		f := &load.File{Name: name, Abs: name, Syntax: syntax, Src: src}
		if rel, err := filepath.Rel(root, name); err == nil && filepath.IsLocal(rel) {
			f.Name = filepath.ToSlash(rel)
		}
		c.Files = append(c.Files, f)
	}
	return c.Program(pass.Fset, root), nil
}

// moduleRoot returns the folder at or above dir that has a go.mod, or dir if none has.
func moduleRoot(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// configuration reads the configuration of the module of the folder dir; it is nil when there is none.
func configuration(dir string) (*config.Config, error) {
	file, err := configurationFile(dir)
	if file == "" || err != nil {
		return nil, err
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return config.Parse(file, src, plan.Known())
}

// configurationFile returns the name of the configuration of the module, or of the workspace, of the folder dir; empty if there is none.
func configurationFile(dir string) (string, error) {
	gomod, gowork, err := load.Workspace(load.Config{Dir: dir})
	if err != nil {
		return "", err
	}
	file, _ := config.PlacesOf(gomod, gowork).Choose(func(file string) bool {
		_, err := os.Stat(file)
		return !errors.Is(err, fs.ErrNotExist)
	})
	return file, nil
}

// diagnostic returns f as the driver reports it. The other problem sites are related places.
func diagnostic(prog *load.Program, f plan.Finding) analysis.Diagnostic {
	d := analysis.Diagnostic{
		Pos: position(prog, f.Head), Category: string(f.Kind),
		Message: fmt.Sprintf("%s %s: %s: %s", f.Confidence, f.Kind, report.ShortName(f.Var), f.Message),
	}
	for _, s := range f.Sites {
		if pos := position(prog, s.Pos); s.Problem && pos.IsValid() && pos != d.Pos {
			d.Related = append(d.Related, analysis.RelatedInformation{Pos: pos, Message: report.Describe(s, f.Kind)})
		}
	}
	return d
}

// position returns the place in the syntax of prog that p names; none if no file does.
func position(prog *load.Program, p plan.Pos) token.Pos {
	for _, f := range prog.Packages[0].Files {
		if file := prog.Fset.File(f.Syntax.Package); f.Name == p.File && p.Line >= 1 && p.Line <= file.LineCount() {
			return file.LineStart(p.Line) + token.Pos(p.Column-1)
		}
	}
	return token.NoPos
}
