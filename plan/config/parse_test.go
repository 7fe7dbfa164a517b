package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mapmend/plan/model"
)

var known = Known{Forms: []string{"lock", "sharded"}, Platforms: []string{"linux/amd64", "windows/amd64"}, Confidences: []string{"possible", "likely"}}

func TestParse(t *testing.T) {
	at := func(line, column int) Place { return Place{Line: line, Column: column} }
	for _, test := range []struct {
		name, src string
		want      Config
	}{
		{"nothing", "# only a comment\n", Config{}},
		{"no bytes", "", Config{}},
		{"nothing, said so", "---\n...\n", Config{}},
		{"empty lists", "ignore:\nforms: []\n", Config{}},
		{"a byte order mark and lines that end in CR LF", "\ufefftags: x\r\ntests: false\r\n", Config{Tags: Value{"x", at(1, 7)}, Tests: Value{"false", at(2, 8)}}},
		{"values", "min-confidence: possible\ntags: [a, b.c]\ntests: true\n", Config{
			MinConfidence: Value{"possible", at(1, 17)}, Tags: Value{"a,b.c", at(2, 7)}, Tests: Value{"true", at(3, 8)},
		}},
		{"tags in one text", "tags: a, b\n", Config{Tags: Value{"a,b", at(1, 7)}}},
		{"no tags", "tags: ''\n", Config{Tags: Value{"", at(1, 7)}}},
		{"platforms", "platforms: [linux/amd64, windows/amd64]\n", Config{Platforms: Value{"linux/amd64,windows/amd64", at(1, 12)}}},
		{"platforms in one text", "platforms: linux/amd64\n", Config{Platforms: Value{"linux/amd64", at(1, 12)}}},
		{"no platforms", "platforms: ''\n", Config{Platforms: Value{"", at(1, 12)}}},
		{"a function's argument", "concurrent:\n- {function: a.b/c.Go, argument: 2, by: the pool}\n", Config{
			Calls: []Call{{"concurrent", "function", "a.b/c.Go", 2, nil, "the pool", at(2, 14)}},
		}},
		{"an interface", "concurrent:\n- interface: a.b/c.I\n  methods: [M, N]\n", Config{
			Calls: []Call{{"concurrent", "interface", "a.b/c.I", 0, []string{"M", "N"}, "", at(2, 14)}},
		}},
		{"a function type", "concurrent:\n- type: a.b/c.F\n", Config{Calls: []Call{{"concurrent", "type", "a.b/c.F", 0, nil, "", at(2, 9)}}}},
		{"lists", "synchronous: [a.b/c.Each]\nserves: [a.b/c.App.Run, a.b/c.Each]\n", Config{Calls: []Call{
			{"synchronous", "function", "a.b/c.Each", 0, nil, "", at(1, 15)},
			{"serves", "function", "a.b/c.App.Run", 0, nil, "", at(2, 10)},
			{"serves", "function", "a.b/c.Each", 0, nil, "", at(2, 25)},
		}}},
		{"ignore", "ignore:\n- variable: Store.*\n  reason: tests\n", Config{Ignore: []Ignore{{"Store.*", "tests", at(2, 13)}}}},
		{"aliases", "ignore:\n- variable: Store.*\n  reason: &why tests\n- variable: Log.*\n  reason: *why\n", Config{
			Ignore: []Ignore{{"Store.*", "tests", at(2, 13)}, {"Log.*", "tests", at(4, 13)}},
		}},
		{"forms", "forms:\n- variable: Store.*\n  form: sharded,lock\n- {variable: x, form: auto}\n- {variable: y, form: [lock, sharded]}\n", Config{Forms: []Form{
			{"Store.*", []string{"sharded", "lock"}, at(2, 13)}, {"x", []string{"auto"}, at(4, 14)}, {"y", []string{"lock", "sharded"}, at(5, 14)},
		}}},
	} {
		test.want.File = Name
		got, err := Parse(Name, []byte(test.src), known)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if diff := cmp.Diff(&test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestMistakes checks that each mistake has its place. The case detect/config-errors has more.
func TestMistakes(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"- a\n", "1:1: want keys: min-confidence, tags,"},
		{"ignore:\n\t- variable: x\n", "2: found character that cannot start any token"},
		{"tags: x\n---\ntags: y\n", "2:1: another document: there can be one only"},
		{"min-confidence: sure\n", "1:17: want one of possible, likely"},
		{"min-confidence: [likely]\n", "1:17: want one of possible, likely"},
		{"min-confidence:\n", "1:16: want one of possible, likely"},
		{"tests: yes\n", "1:8: want true or false"},
		{"tags: a b\n", "1:7: \"a b\" is no build tag"},
		{"tags: {a: b}\n", "1:7: want text"},
		{"platforms: windows\n", "1:12: unknown platform \"windows\"; want GOOS/GOARCH"},
		{"platforms: ~\n", "1:12: want text"},
		{"tags: ~\n", "1:7: want text"},
		{"tags: a,,b\n", "1:7: \"\" is no build tag"},
		{"? [tags]\n: x\n", "1:3: want a key: min-confidence, tags,"},
		{"synchronous: [null]\n", "1:15: want text"},
		{"forms:\n- {variable: x, form: hashed}\n", "2:23: unknown form \"hashed\"; there are auto, lock, sharded"},
		{"forms:\n- {variable: x, form: 'auto,lock'}\n", "2:23: unknown form \"auto\""},
		{"forms:\n- {variable: x, form: [lock, lock]}\n", "2:23: lock stands here twice"},
		{"forms:\n- {variable: x, form: []}\n", "2:23: want a form"},
		{"forms:\n- {variable: x, form: [[lock]]}\n", "2:24: want text"},
		{"ignore:\n- &a\n  <<: *a\n", "3:3: unknown key <<"},
		{"ignore:\n- *nothing\n", "unknown anchor 'nothing' referenced"},
		{"ignore: &a\n- *a\n", "want keys: variable, reason"},
		{"starts:\n- {function: a/b.F, argument: 1}\nconcurrent:\n- {function: a/b.F, argument: 2}\n", "4:14: line 2 says already what becomes of a/b.F"},
		{"synchronous: [a/b.F]\nstarts:\n- {function: a/b.F, argument: 1}\n", "3:14: line 1 says already what becomes of a/b.F"},
		{"serves: [a/b.F, a/b.F]\n", "1:17: line 1 says already that a/b.F serves"},
		{"starts:\n- {function: a/b.F, argument: [1]}\n", "2:31: want a number from 1"},
	} {
		if c, err := Parse(Name, []byte(test.src), known); err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), Name+":") {
			t.Errorf("%q: %v, %v; want %s", test.src, c, err, test.want)
		}
	}
}

func TestModel(t *testing.T) {
	const byFile = "a library, as .mapmend.yaml says,"
	c := &Config{Calls: []Call{
		{Section: "concurrent", What: "function", Name: "a.b/c.Go", Argument: 2, By: "the pool"},
		{Section: "concurrent", What: "function", Name: "a.b/c.Pool.Go", Argument: 2},
		{Section: "starts", What: "function", Name: "gopkg.in/c.v3.Go", Argument: 1},
		{Section: "starts", What: "function", Name: "gopkg.in/c.v3.Pool.Go", Argument: 1},
		{Section: "concurrent", What: "interface", Name: "a.b/c.I", Methods: []string{"M", "N"}},
		{Section: "concurrent", What: "type", Name: "a.b/c.F"},
		{Section: "synchronous", What: "function", Name: "sort.Slice"},
		{Section: "serves", What: "function", Name: "a.b/c.App.Run"},
	}}
	want := model.Extension{
		Starts: map[string]model.Argument{
			"a.b/c.Go":                {Arg: 1, Runs: model.Runs{How: model.Handler, By: "the pool"}},
			"a.b/c.Pool.Go":           {Arg: 2, Runs: model.Runs{How: model.Handler, By: byFile}},
			"gopkg.in/c%2ev3.Go":      {Arg: 0, Runs: model.Runs{How: model.Go}},
			"gopkg.in/c%2ev3.Pool.Go": {Arg: 1, Runs: model.Runs{How: model.Go}},
		},
		Concurrent:  map[string]model.Interface{"a.b/c.I": {Runs: model.Runs{How: model.Handler, By: byFile}, Methods: []string{"M", "N"}}},
		FuncTypes:   map[string]model.Runs{"a.b/c.F": {How: model.Handler, By: byFile}},
		Synchronous: []string{"sort.Slice"},
		Serves:      []string{"a.b/c.App.Run"},
	}
	if diff := cmp.Diff(want, c.Model()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzParse checks that there is either a configuration or an error, and that what is printed says the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte("concurrent:\n- {function: a.b/c.Go, argument: 2, by: 'x # y'}\n- {interface: a/b.C, methods: [M]}\nignore: []\n"))
	f.Add([]byte("a: &a [*a]\n? [b]\n"))
	f.Add([]byte("tests: true\ntags: [x, y]\nignore:\n- variable: '*'\n  reason: |\n    one\n    two\nforms:\n- {variable: 'yes', form: auto}\nserves: [a/b.C]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := Parse(Name, src, known)
		if (c == nil) == (err == nil) {
			t.Fatalf("Parse returns %v, %v", c, err)
		}
		if c == nil {
			return
		}
		printed, err := c.YAML(Name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(Name, printed, known)
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		if diff := cmp.Diff(c, again, cmpopts.IgnoreTypes(Place{}), cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b Call) bool { return a.Section < b.Section })); diff != "" {
			t.Errorf("what is printed says something else (-first +again):\n%s\n%s", diff, printed)
		}
	})
}
