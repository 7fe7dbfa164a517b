package report

// This file tests the formats that services read.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan"
)

// storeSource is what session/store.go holds: line 48 has a letter of two bytes and one code unit, and one of four and two.
func storeSource(file string) []byte {
	if file != "session/store.go" {
		return nil
	}
	return []byte(strings.Repeat("\n", 47) + "\té𝔐 s.m[k]\r\n" + strings.Repeat("\n", 9) + "\ts.m[k] = 1")
}

func TestSource(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, findings, refusals, Options{Source: storeSource}); err != nil {
		t.Fatal(err)
	}
	want := "\tsession/store.go:48:9: load in (*Store).Peek holds nothing\n" +
		"\t\té𝔐 s.m[k]\n" +
		"\t\t   ^\n" +
		"\tsession/store.go:58:9: store in (*Store).Put holds s.mu for reading (write-under-rlock)\n" +
		"\t\ts.m[k] = 1\n" +
		"\t\t       ^\n" +
		"\tsession/store.go:30:2: store in (*Store).Grant holds s.mu\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("Text shows no source as in\n%s\ngot\n%s", want, &b)
	}
}

func TestGitHub(t *testing.T) {
	var b bytes.Buffer
	list := []plan.Finding{{ID: "1", Kind: plan.TornReplace, Confidence: plan.Likely, Var: cache, Head: plan.Pos{File: "a,b/c%d.go", Line: 3, Column: 5}, Message: "100% wrong", Evidence: []string{"a: b"}}}
	if err := GitHub(&b, append(list, findings[1]), nil, Options{Color: true, Source: storeSource}); err != nil {
		t.Fatal(err)
	}
	want := `::warning file=a%2Cb/c%25d.go,line=3,col=5,title=torn-replace%3A a.cache::100%25 wrong%0Aevidence: a: b
::notice file=a/cache.go,line=3,col=5,title=unguarded-shared%3A a.cache::no guard anywhere
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("GitHub (-want +got):\n%s", diff)
	}
}

// TestGitHubLimit checks that a message which GitHub would not take ends at a line, and says that there is more.
func TestGitHubLimit(t *testing.T) {
	for _, lines := range []int{10, 10_000} {
		f := plan.Finding{Kind: plan.UnguardedShared, Confidence: plan.Likely, Message: "message"}
		for i := range lines {
			f.Evidence = append(f.Evidence, fmt.Sprintf("evidence %d", i))
		}
		var b strings.Builder
		if err := GitHub(&b, []plan.Finding{f}, nil, Options{}); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(strings.TrimSuffix(b.String(), "\n"), "::message")
		text = strings.ReplaceAll(text, "%0A", "\n")
		last := text[strings.LastIndexByte(text, '\n')+1:]
		switch long := lines > 10; {
		case len(text) > 64<<10:
			t.Errorf("of %d lines the message has %d bytes", lines, len(text))
		case long != (last == "... more in the output of check"):
			t.Errorf("of %d lines the last is %q", lines, last)
		}
	}
}

func TestSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := SARIF(&b, findings, refusals, Options{Rel: below, Source: storeSource, Version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	strict := json.NewDecoder(&b)
	strict.DisallowUnknownFields()
	if err := strict.Decode(&log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.Tool.Driver.Version != "v1.2.3" || len(run.Results) != 2 {
		t.Errorf("log %s by %v with %d results", log.Version, run.Tool.Driver, len(run.Results))
	}
	for i, r := range run.Tool.Driver.Rules {
		if r.ID != plan.Kinds[i] || r.ShortDescription.Text == "" {
			t.Errorf("rule %d is %v", i, r)
		}
	}
	at := func(line, column int) sarifPhysical {
		return sarifPhysical{sarifArtifact{"store.go"}, sarifRegion{StartLine: line, StartColumn: column}}
	}
	related := func(id, line, column int, text string) sarifLocation {
		return sarifLocation{id, at(line, column), &sarifMessage{text}}
	}
	want := sarifResult{
		RuleID: plan.InconsistentGuard, RuleIndex: 0, Level: "warning",
		Message:   sarifMessage{"session.Store.byID: read without mu, which (*Store).Grant holds"},
		Locations: []sarifLocation{{PhysicalLocation: at(48, 6)}}, // byte 9
		RelatedLocations: []sarifLocation{
			related(1, 48, 6, "load in (*Store).Peek holds nothing"),
			related(2, 58, 9, "store in (*Store).Put holds s.mu for reading (write-under-rlock)"),
			related(3, 30, 2, "store in (*Store).Grant holds s.mu"),
			related(4, 40, 2, "delete in (*Store).Drop holds s.mu"),
		},
		PartialFingerprints: map[string]string{"mapmend/v1": "3f9c"},
		Properties: sarifProperties{
			Confidence: "likely", Variable: byID.String(), Guard: "mu", Evidence: []string{"one side holds a lock"},
			Chains:  [][]string{{"(*Store).Serve", "go", "(*Store).Peek"}},
			Refused: []string{"store.go:48:2: the region also changes <total> (footprint); move total into its own section"},
		},
	}
	if diff := cmp.Diff(want, run.Results[1]); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if r := run.Results[0]; r.Level != "note" || r.Locations[0].PhysicalLocation.ArtifactLocation.URI != "../a/cache.go" {
		t.Errorf("the possible finding is %+v", r)
	}
}

func TestRDJSON(t *testing.T) {
	var b bytes.Buffer
	if err := RDJSON(&b, findings, refusals, Options{Rel: below}); err != nil {
		t.Fatal(err)
	}
	var got rdResult
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Diagnostics) != 2 || got.Diagnostics[0].Severity != "INFO" {
		t.Fatalf("diagnostics %+v", got.Diagnostics)
	}
	d := got.Diagnostics[1]
	place := rdLocation{"store.go", rdRange{rdPosition{48, 9}}}
	if d.Severity != "WARNING" || d.Code.Value != plan.InconsistentGuard || d.Location != place || len(d.RelatedLocations) != 4 {
		t.Errorf("diagnostic %+v", d)
	}
	if !strings.HasPrefix(d.Message, "session.Store.byID: read without mu, which (*Store).Grant holds\nstore.go:48:9: load") {
		t.Errorf("message %q", d.Message)
	}
}

// TestFix checks the places of edits, in files with a byte order mark, with other line ends, and with letters of several sizes.
func TestFix(t *testing.T) {
	edit := func(src, old, text string) FileFix {
		at := strings.Index(src, old)
		return FileFix{Old: []byte(src), Edits: []Edit{{at, at + len(old), text}}}
	}
	for _, test := range []struct {
		name        string
		file        FileFix
		region      sarifRegion
		first, last int
		lines       string
	}{
		{"plain", edit("a\n\tb c\nd\n", "c", "x"), sarifRegion{2, 4, 2, 5}, 2, 2, "\tb x"},
		{"several lines", edit("a\nb\nc\n", "\nb\n", "-"), sarifRegion{1, 2, 3, 1}, 1, 3, "a-c"},
		{"insertion", edit("a\nb", "", "x\n"), sarifRegion{1, 1, 1, 1}, 1, 1, "x\na"},
		{"letters", edit("a\né𝔐 b c\r\n", "c", "x"), sarifRegion{2, 7, 2, 8}, 2, 2, "é𝔐 b x"},
		{"line ends", edit("a\r\nb\r\nc\r\n", "b\r\n", ""), sarifRegion{2, 1, 3, 1}, 2, 3, "c"},
		{"byte order mark", edit("\ufeffa é b\nb\n", "b", "x"), sarifRegion{1, 5, 1, 6}, 1, 1, "\ufeffa é x"},
		{"the same in another line", edit("a\n\ufeffb\n", "b", "x"), sarifRegion{2, 2, 2, 3}, 2, 2, "\ufeffx"},
	} {
		if got := test.file.region(test.file.Edits[0]); got != test.region {
			t.Errorf("%s: region %v, want %v", test.name, got, test.region)
		}
		if first, last, text := test.file.lines(); first != test.first || last != test.last || text != test.lines {
			t.Errorf("%s: lines %d to %d are %q, want %d to %d, %q", test.name, first, last, text, test.first, test.last, test.lines)
		}
	}
}

// TestURI checks names that mean something else in a URI.
func TestURI(t *testing.T) {
	for name, want := range map[string]string{
		"a/b c.go":  "a/b%20c.go",
		"100%.go":   "100%25.go",
		"a:b.go":    "./a:b.go",
		"/x/y.go":   "file:///x/y.go",
		"C:/x/y.go": "file:///C:/x/y.go",
	} {
		if got := fileURI(name); got != want {
			t.Errorf("fileURI(%q) = %q, want %q", name, got, want)
		}
	}
}

// renderers are all formats.
var renderers = map[string]func(io.Writer, []plan.Finding, []plan.Refusal, Options) error{
	"Text": Text, "JSON": JSON, "SARIF": SARIF, "GitHub": GitHub, "RDJSON": RDJSON,
}
