package rewrite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mapmend/plan"
	"mapmend/templates"
)

// Every form has a row here, and what package plan says of those that generate a type is so of their templates: from
// which go version on, and what they declare.
func TestForms(t *testing.T) {
	for _, form := range plan.Forms {
		if !slices.ContainsFunc(forms, func(row struct {
			form  plan.Form
			carry func(*editor, plan.Mend) error
		}) bool {
			return row.form == form
		}) {
			t.Errorf("no row for the form %s", form)
		}
		if form == plan.Lock {
			continue
		}
		if got, want := templates.Others(string(form)), form.Beside(); !slices.Equal(got, want) {
			t.Errorf("the template %s declares %q, the plan has %q", form, got, want)
		}
		for _, kind := range []string{"string", "integer", ""} {
			w := plan.Wrapper{Package: "p", Name: "thingMap", Key: "point", Value: "bool", KeyKind: kind}
			for _, a := range templates.Accessors(string(form)) {
				if a != "All" {
					w.Accessors = append(w.Accessors, a)
				}
			}
			needs := form.Needs(kind)
			w.GoVersion = fmt.Sprintf("1.%d", needs)
			src, err := render(form, plan.Var{Field: "thing"}, w)
			if err != nil {
				t.Errorf("%s for go %s: %v", form, w.GoVersion, err)
			}
			for _, name := range form.Beside() {
				if !strings.Contains(string(src), "thingMap"+name) {
					t.Errorf("%s does not declare thingMap%s", form, name)
				}
			}
			if w.GoVersion = fmt.Sprintf("1.%d", needs-1); needs > 0 {
				if _, err := render(form, plan.Var{Field: "thing"}, w); err == nil {
					t.Errorf("%s for go %s: no error", form, w.GoVersion)
				}
			}
		}
	}
}
