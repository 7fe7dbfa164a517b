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
// it that begins after a slash or dot: "Store.byID", "lease.*.*". The version at the end of an import path may be left
// out, as it is in what is reported: "caddy.Config.apps" is one of ".../caddy/v2".
func Match(pattern string, v Var) bool {
	if matchSuffix(pattern, v.String()) {
		return true
	}
	if dir, last := path.Split(v.Package); dir != "" && isVersion(last) {
		v.Package = path.Clean(dir)
		return matchSuffix(pattern, v.String())
	}
	return false
}

// isVersion reports whether s is "v2" or the like.
func isVersion(s string) bool {
	return len(s) > 1 && s[0] == 'v' && strings.Trim(s[1:], "0123456789") == ""
}

func matchSuffix(pattern, s string) bool {
	for found := true; found; _, s, found = cut(s) {
		if ok, _ := path.Match(pattern, s); ok {
			return true
		}
	}
	return false
}

// cut splits s after its first slash, or after its first dot when it has no slash.
func cut(s string) (before, after string, found bool) {
	if strings.Contains(s, "/") {
		return strings.Cut(s, "/")
	}
	return strings.Cut(s, ".")
}
