// Package golangci is the analyzer of package vet as a plugin of golangci-lint, of the kind that is built into it. A file .custom-gcl.yml
// names this package, `golangci-lint custom` builds a golangci-lint with it, and the configuration of that turns it on:
//
//	linters:
//	  enable: [mapmend]
//	  settings:
//	    custom:
//	      mapmend:
//	        type: module
//	        settings:
//	          min-confidence: possible
//
// The settings are the flags of the analyzer. It finds what it does in go vet: a part of what `mapmend check` finds.
package golangci

import (
	"fmt"
	"maps"
	"slices"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"mapmend/plan/vet"
)

func init() { register.Plugin("mapmend", New) }

// plugin is one analyzer with its settings.
type plugin struct{ analyzer *analysis.Analyzer }

// New returns the plugin with settings, the values of flags by their names; nil for none. What is no flag, or no value of one, is an
// error: a setting that does nothing would go unseen.
func New(settings any) (register.LinterPlugin, error) {
	values, ok := settings.(map[string]any)
	if !ok && settings != nil {
		return nil, fmt.Errorf("the settings of mapmend are names with values, not %v", settings)
	}
	p := plugin{vet.New()}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if p.analyzer.Flags.Lookup(name) == nil {
			return nil, fmt.Errorf("mapmend has no setting %q", name)
		}
		if err := p.analyzer.Flags.Set(name, fmt.Sprint(values[name])); err != nil {
			return nil, fmt.Errorf("the setting %s of mapmend: %w", name, err)
		}
	}
	return p, nil
}

// BuildAnalyzers returns the one analyzer.
func (p plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return []*analysis.Analyzer{p.analyzer}, nil
}

// GetLoadMode says that the analyzer needs types.
func (p plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
