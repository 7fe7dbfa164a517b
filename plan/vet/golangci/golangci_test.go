package golangci

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"
)

// racy has a use that forgets the lock of its owner, and one that only callers outside may share.
var racy = map[string]string{
	"go.mod": "module example.com/racy\n\ngo 1.26\n",
	"racy.go": `package racy

import "sync"

type Store struct {
	mu   sync.Mutex
	byID map[string]int
	open map[string]int
}

func (s *Store) Put(k string, v int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[k] = v
}

func (s *Store) Get(k string) int { return s.byID[k] }

type Plain struct{ m map[string]int }

func (p *Plain) Put(k string) { p.m[k] = 1 }

func (p *Plain) Get(k string) int { return p.m[k] }
`,
}

// made returns the plugin as golangci-lint gets it.
func made(settings any) (register.LinterPlugin, error) {
	newPlugin, err := register.GetPlugin("mapmend")
	if err != nil {
		return nil, err
	}
	return newPlugin(settings)
}

func TestPlugin(t *testing.T) {
	pkgs := loaded(t)
	for _, test := range []struct {
		settings any
		want     []string
	}{
		{nil, []string{"likely inconsistent-guard: racy.Store.byID: "}},
		{map[string]any{"min-confidence": "possible"}, []string{"likely inconsistent-guard: racy.Store.byID: ", "possible unguarded-shared: racy.Plain.m: "}},
		{map[string]any{}, []string{"likely inconsistent-guard: racy.Store.byID: "}}, // and not what another instance was told
	} {
		p, err := made(test.settings)
		if err != nil {
			t.Fatal(err)
		}
		if mode := p.GetLoadMode(); mode != register.LoadModeTypesInfo {
			t.Errorf("the load mode is %s", mode)
		}
		analyzers, err := p.BuildAnalyzers()
		if err != nil {
			t.Fatal(err)
		}
		graph, err := checker.Analyze(analyzers, pkgs, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, act := range graph.Roots {
			if act.Err != nil {
				t.Fatal(act.Err)
			}
			for _, d := range act.Diagnostics {
				got = append(got, d.Message)
			}
		}
		slices.Sort(got)
		if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
			t.Errorf("with the settings %v: %q, want %q", test.settings, got, test.want)
		}
	}
}

// loaded returns the packages of racy.
func loaded(t *testing.T) []*packages.Package {
	t.Helper()
	dir := t.TempDir()
	for name, text := range racy {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cfg := &packages.Config{Mode: packages.LoadAllSyntax | packages.NeedModule, Dir: dir, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")}
	pkgs, err := packages.Load(cfg, "./...")
	if err != nil || packages.PrintErrors(pkgs) > 0 {
		t.Fatal("the module does not load: ", err)
	}
	return pkgs
}

func TestSettings(t *testing.T) {
	for _, test := range []struct {
		settings any
		want     string
	}{
		{map[string]any{"min-confidence": "sure"}, "the setting min-confidence of mapmend: must be possible, likely or proven"},
		{map[string]any{"min-confidence": []any{"likely"}}, "the setting min-confidence of mapmend: must be"},
		{map[string]any{"minconfidence": "likely"}, `mapmend has no setting "minconfidence"`},
		{[]any{"min-confidence"}, "the settings of mapmend are names with values, not [min-confidence]"},
	} {
		if _, err := made(test.settings); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("the settings %v give %v, want %q", test.settings, err, test.want)
		}
	}
}

// TestReadme checks that the README names this package, and a setting that there is.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if imported := "import: " + reflect.TypeFor[plugin]().PkgPath() + "\n"; !strings.Contains(string(readme), imported) {
		t.Errorf("README.md lacks %q", imported)
	}
	_, settings, _ := strings.Cut(string(readme), "type: module\n        settings:\n          ")
	name, value, _ := strings.Cut(strings.Fields(settings)[0]+strings.Fields(settings)[1], ":")
	if _, err := made(map[string]any{name: value}); err != nil {
		t.Errorf("with the setting of README.md: %v", err)
	}
}
