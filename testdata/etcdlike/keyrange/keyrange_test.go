package keyrange

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for pattern, want := range map[string]Range{
		"a":      {"a", "a\x00"},
		"a*":     {"a", "b"},
		"a\xff*": {"a\xff", "b"},
		"\xff*":  {"\xff", ""},
		"*":      {"", ""},
	} {
		for range 2 { // parsed, then from the cache
			if got, err := Parse(pattern); err != nil || got != want {
				t.Errorf("Parse(%q): %q, %v, want %q", pattern, got, err, want)
			}
		}
	}
	if _, err := Parse("a*b"); !errors.Is(err, ErrPattern) {
		t.Errorf("Parse of a bad pattern: %v", err)
	}
}

func TestContains(t *testing.T) {
	r, err := Parse("a*")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"": false, "a": true, "a/b": true, "b": false} {
		if got := r.Contains(key); got != want {
			t.Errorf("Contains(%q): %t", key, got)
		}
	}
}

func TestForget(t *testing.T) {
	before := Cached()
	if _, err := Parse("forgotten"); err != nil {
		t.Fatal(err)
	}
	if n := Cached(); n != before+1 {
		t.Errorf("%d patterns are cached, want %d", n, before+1)
	}
	Forget("forgotten")
	if n := Cached(); n != before {
		t.Errorf("%d patterns are cached, want %d", n, before)
	}
}
