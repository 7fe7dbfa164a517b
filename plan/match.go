package plan

import (
	"fmt"
	"path"
	"strings"
)

// This file matches variables with the patterns of --field.

// checkPattern returns an error when pattern cannot match anything for a reason of syntax.
func checkPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
		return fmt.Errorf("field pattern %q: malformed", pattern)
	}
	return nil
}

func (opt Options) wants(v Var) bool {
	if len(opt.Fields) == 0 {
		return true
	}
	for _, pattern := range opt.Fields {
		if Match(pattern, v) {
			return true
		}
	}
	return false
}

// Match reports whether pattern names v: as a glob over "path/pkg.Owner.Field", or over a suffix of
// it that begins after a slash or dot: "Store.byID", "lease.*.*".
func Match(pattern string, v Var) bool {
	s := v.String()
	for {
		if ok, _ := path.Match(pattern, s); ok {
			return true
		}
		if base, after, found := cut(s); found {
			_ = base
			s = after
			continue
		}
		return false
	}
}

// cut splits s after its first slash, or after its first dot when it has no slash.
func cut(s string) (before, after string, found bool) {
	if strings.Contains(s, "/") {
		return strings.Cut(s, "/")
	}
	return strings.Cut(s, ".")
}
