// This file corrects where dst keeps the comments behind the last statement of a clause.

package rewrite

import (
	"slices"
	"strings"

	"github.com/dave/dst"
)

// settle hands each comment on the line of the last statement of a clause to that statement. No token ends a
// clause, and dst gives what follows to the outermost node that ends there:
//
//	case "set":
//		s.m[k] = 1
//		os.Remove(k) //nolint:errcheck
//
// Here the comment is the clause's, and a line end behind the statement, as every statement of a list needs
// once one is put beside it, would come before the comment. Comments on lines of their own stay with the
// clause, so that what is put behind the last statement comes before them.
func settle(file *dst.File) {
	dst.Inspect(file, func(n dst.Node) bool {
		switch n := n.(type) {
		case *dst.CaseClause:
			settleEnd(&n.Decs.NodeDecs, n.Body)
		case *dst.CommClause:
			settleEnd(&n.Decs.NodeDecs, n.Body)
		}
		return true
	})
}

func settleEnd(clause *dst.NodeDecs, body []dst.Stmt) {
	if len(body) == 0 || len(clause.End) == 0 {
		return
	}
	last := body[len(body)-1].Decorations()
	same := onLine(clause.End)
	last.End = append(last.End, clause.End[:same]...)
	rest := slices.Clone(clause.End[same:])
	lines := 0 // line ends before the next comment
	if same > 0 && strings.HasPrefix(clause.End[same-1], "//") {
		lines++
	}
	for len(rest) > 0 && rest[0] == "\n" {
		rest = rest[1:]
		lines++
	}
	clause.End = rest
	if len(rest) > 0 {
		last.After = max(last.After, min(dst.SpaceType(lines), dst.EmptyLine))
	}
}

// onLine returns how many of the decorations behind a node stand on its line: those up to the first // comment
// or line end.
func onLine(end dst.Decorations) int {
	for i, d := range end {
		switch {
		case d == "\n":
			return i
		case strings.HasPrefix(d, "//"):
			return i + 1
		}
	}
	return len(end)
}
