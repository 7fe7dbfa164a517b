package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mapmend/plan/model"
)

func TestParse(t *testing.T) {
	const byFile = "a library, as .mapmend.yaml says,"
	empty := func() *Config {
		return &Config{Model: model.Extension{Starts: map[string]model.Argument{}, FuncTypes: map[string]model.Runs{}, Concurrent: map[string]model.Interface{}}}
	}
	for _, test := range []struct {
		name, src string
		want      func(*Config)
	}{
		{"nothing", "# only a comment\n", func(*Config) {}},
		{"a function's argument", "concurrent:\n- {function: a.b/c.Go, argument: 2, by: the pool}\n", func(c *Config) {
			c.Model.Starts["a.b/c.Go"] = model.Argument{Arg: 1, Runs: model.Runs{How: model.Handler, By: "the pool"}}
		}},
		{"a method's argument", "concurrent:\n- {function: a.b/c.Pool.Go, argument: 2}\n", func(c *Config) {
			c.Model.Starts["a.b/c.Pool.Go"] = model.Argument{Arg: 2, Runs: model.Runs{How: model.Handler, By: byFile}}
		}},
		{"a path with dots", "starts:\n- {function: gopkg.in/c.v3.Go, argument: 1}\n- {function: gopkg.in/c.v3.Pool.Go, argument: 1}\n", func(c *Config) {
			c.Model.Starts["gopkg.in/c.v3.Go"] = model.Argument{Arg: 0, Runs: model.Runs{How: model.Go}}
			c.Model.Starts["gopkg.in/c.v3.Pool.Go"] = model.Argument{Arg: 1, Runs: model.Runs{How: model.Go}}
		}},
		{"an interface", "concurrent:\n- interface: a.b/c.I\n  methods: [M, N]\n", func(c *Config) {
			c.Model.Concurrent["a.b/c.I"] = model.Interface{Runs: model.Runs{How: model.Handler, By: byFile}, Methods: []string{"M", "N"}}
		}},
		{"a function type", "concurrent:\n- type: a.b/c.F\n", func(c *Config) {
			c.Model.FuncTypes["a.b/c.F"] = model.Runs{How: model.Handler, By: byFile}
		}},
		{"lists", "synchronous: [a.b/c.Each, sort.Slice]\nserves: [a.b/c.App.Run]\n", func(c *Config) {
			c.Model.Synchronous = []string{"a.b/c.Each", "sort.Slice"}
			c.Model.Serves = []string{"a.b/c.App.Run"}
		}},
		{"ignore", "ignore:\n- variable: Store.*\n  reason: tests\n", func(c *Config) {
			c.Ignore = []Ignore{{"Store.*", "tests", 2, 13}}
		}},
		{"forms", "forms:\n- variable: Store.*\n  form: sharded,lock\n- {variable: x, form: auto}\n", func(c *Config) {
			c.Forms = []Form{{"Store.*", []string{"sharded", "lock"}, 3, 9}, {"x", []string{"auto"}, 4, 23}}
		}},
	} {
		want := empty()
		test.want(want)
		got, err := Parse(Name, []byte(test.src))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("concurrent:\n- {function: a.b/c.Go, argument: 2}\nignore: []\n"))
	f.Add([]byte("a: &a [*a]\n? [b]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if c, err := Parse(Name, src); (c == nil) == (err == nil) {
			t.Errorf("Parse returns %v, %v", c, err)
		}
	})
}
