package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan"
)

var (
	byID  = plan.Var{Package: "example.com/app/session/v2", Owner: "Store", Field: "byID"}
	cache = plan.Var{Package: "example.com/app/a", Field: "cache"}
)

// findings are out of order on purpose.
var findings = []plan.Finding{
	{
		ID: "3f9c", Kind: plan.InconsistentGuard, Confidence: plan.Likely, Evidence: []string{"one side holds a lock"},
		Module: "example.com/app", Var: byID, Guard: "mu",
		Pos:     plan.Pos{File: "session/store.go", Line: 21, Column: 2},
		Head:    plan.Pos{File: "session/store.go", Line: 48, Column: 9},
		Message: "read without mu, which (*Store).Grant holds",
		Chains:  [][]string{{"(*Store).Serve", "go", "(*Store).Peek"}},
		Sites: []plan.Site{
			{Pos: plan.Pos{File: "session/store.go", Line: 30, Column: 2}, Function: "(*Store).Grant", Op: "store", Held: []plan.Held{{Lock: "s.mu", Mode: "write"}}},
			{Pos: plan.Pos{File: "session/store.go", Line: 40, Column: 2}, Function: "(*Store).Drop", Op: "delete", Held: []plan.Held{{Lock: "s.mu", Mode: "write"}}},
			{Pos: plan.Pos{File: "session/store.go", Line: 48, Column: 9}, Function: "(*Store).Peek", Kind: plan.InconsistentGuard, Op: "load", Problem: true},
			{Pos: plan.Pos{File: "session/store.go", Line: 58, Column: 9}, Function: "(*Store).Put", Kind: plan.WriteUnderRLock, Op: "store", Held: []plan.Held{{Lock: "s.mu", Mode: "read"}}, Problem: true},
		},
	},
	{
		ID: "11aa", Kind: plan.UnguardedShared, Confidence: plan.Possible, Module: "example.com/app", Var: cache,
		Pos:     plan.Pos{File: "a/cache.go", Line: 3, Column: 5},
		Head:    plan.Pos{File: "a/cache.go", Line: 3, Column: 5},
		Message: "no guard anywhere",
	},
}

var refusals = []plan.Refusal{{
	Code: plan.Footprint, Var: byID, Pos: plan.Pos{File: "session/store.go", Line: 48, Column: 2},
	Message: "the region also changes <total>", Todo: "move total into its own section",
}}

// below shows files as from the folder session.
func below(file string) string {
	if rest, ok := strings.CutPrefix(file, "session/"); ok {
		return rest
	}
	return "../" + file
}

func TestText(t *testing.T) {
	head := `../a/cache.go:3:5: possible unguarded-shared: a.cache: no guard anywhere
store.go:48:9: likely inconsistent-guard: session.Store.byID: read without mu, which (*Store).Grant holds
`
	tail := `	chain: (*Store).Serve > go > (*Store).Peek
	evidence: one side holds a lock
	store.go:48:2: cannot mend: the region also changes <total>; move total into its own section
`
	for _, test := range []struct {
		name, sites string
		opt         Options
	}{
		{"default", `	store.go:48:9: load in (*Store).Peek holds nothing
	store.go:58:9: store in (*Store).Put holds s.mu for reading (write-under-rlock)
	store.go:30:2: store in (*Store).Grant holds s.mu
`, Options{Rel: below}},
		{"verbose", `	store.go:30:2: store in (*Store).Grant holds s.mu
	store.go:40:2: delete in (*Store).Drop holds s.mu
	store.go:48:9: load in (*Store).Peek holds nothing
	store.go:58:9: store in (*Store).Put holds s.mu for reading (write-under-rlock)
`, Options{Rel: below, Verbose: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Text(&b, findings, refusals, test.opt); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(head+test.sites+tail, b.String()); diff != "" {
				t.Errorf("Text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	var b bytes.Buffer
	if err := Refusals(&b, refusals, Options{}); err != nil {
		t.Fatal(err)
	}
	want := "session/store.go:48:2: cannot mend session.Store.byID: the region also changes <total> (footprint)\n\tmove total into its own section\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("Refusals (-want +got):\n%s", diff)
	}
}

// TestColor checks that colours are all that the option adds.
func TestColor(t *testing.T) {
	var plain, coloured bytes.Buffer
	for b, opt := range map[*bytes.Buffer]Options{&plain: {}, &coloured: {Color: true}} {
		if err := Text(b, findings, refusals, opt); err != nil {
			t.Fatal(err)
		}
	}
	stripped := strings.NewReplacer("\x1b[1m", "", "\x1b[31m", "", "\x1b[0m", "").Replace(coloured.String())
	if stripped != plain.String() || stripped == coloured.String() {
		t.Errorf("with colour:\n%q\nwithout:\n%q", &coloured, &plain)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, findings, refusals, Options{Rel: below}); err != nil {
		t.Fatal(err)
	}
	want := `{
  "schema": "mapmend/findings/v1",
  "findings": [
    {
      "id": "11aa",
      "kind": "unguarded-shared",
      "confidence": "possible",
      "evidence": [],
      "module": "example.com/app",
      "package": "example.com/app/a",
      "owner": "",
      "field": "cache",
      "pos": {
        "file": "../a/cache.go",
        "line": 3,
        "column": 5
      },
      "guard": "",
      "message": "no guard anywhere",
      "chains": [],
      "sites": []
    },
`
	if got := b.String(); !strings.HasPrefix(got, want) {
		t.Errorf("JSON begins (-want +got):\n%s", cmp.Diff(want, got))
	}
	if strings.Contains(b.String(), "null") || !strings.Contains(b.String(), "<total>") {
		t.Errorf("a null list or an escaped text in:\n%s", &b)
	}
	site := `        {
          "file": "store.go",
          "line": 58,
          "column": 9,
          "function": "(*Store).Put",
          "kind": "write-under-rlock",
          "op": "store",
          "held": [
            {
              "lock": "s.mu",
              "mode": "read"
            }
          ],
          "problem": true
        }
`
	if !strings.Contains(b.String(), site) {
		t.Errorf("no site\n%s in:\n%s", site, &b)
	}
	if !json.Valid(b.Bytes()) {
		t.Error("the document is no JSON")
	}
}

// TestOrder checks that the output does not depend on the order of the findings, and leaves them alone.
func TestOrder(t *testing.T) {
	reversed := slices.Clone(findings)
	slices.Reverse(reversed)
	for name, render := range renderers {
		var one, other bytes.Buffer
		if err := render(&one, findings, refusals, Options{}); err != nil {
			t.Fatal(err)
		}
		if err := render(&other, reversed, refusals, Options{}); err != nil {
			t.Fatal(err)
		}
		if one.String() != other.String() {
			t.Errorf("%s depends on the order of its input", name)
		}
	}
	if findings[0].Var != byID {
		t.Error("the findings were sorted in place")
	}
}

func TestAtLeast(t *testing.T) {
	for min, want := range map[plan.Confidence]int{plan.Possible: 2, plan.Likely: 1, plan.Proven: 0} {
		if got := len(AtLeast(findings, min)); got != want {
			t.Errorf("AtLeast(%v) returns %d findings, want %d", min, got, want)
		}
	}
}

func TestShortName(t *testing.T) {
	for want, v := range map[string]plan.Var{
		"session.Store.byID": byID,
		"a.cache":            cache,
		"v2.m":               {Package: "v2", Field: "m"},
		"main.run.seen":      {Package: "main", Owner: "run", Field: "seen"},
		"view.T.m":           {Package: "x/view", Owner: "T", Field: "m"},
	} {
		if got := ShortName(v); got != want {
			t.Errorf("ShortName(%v) = %s, want %s", v, got, want)
		}
	}
}
