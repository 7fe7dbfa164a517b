package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mapmend/plan/load"
)

// A variable that a function uses which was not analysed is at most possible, is not mended, and the function is named.
func TestNotAnalysed(t *testing.T) {
	dir := t.TempDir()
	const src = `package m

import "sync"

type S struct {
	mu sync.Mutex
	m  map[string]int
}

func (s *S) Put(k string) {
	s.mu.Lock()
	s.m[k]++
	s.mu.Unlock()
}

func (s *S) Len() int { return len(s.m) }

func (s *S) Large(k string) int {
	n := 0
	if k != "" && k != "a" {
		n = s.m[k]
	}
	return n
}
`
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "m.go": src} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := load.Load(load.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		maxBlocks int
		want      Confidence
	}{{3, Possible}, {4, Likely}} {
		p, err := Make(prog, Options{MinConfidence: Possible, maxBlocks: tt.maxBlocks})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Findings) != 1 || p.Findings[0].Confidence != tt.want {
			t.Fatalf("with %d blocks: findings %+v, want one that is %s", tt.maxBlocks, p.Findings, tt.want)
		}
		if tt.want == Likely {
			if len(p.Notes) > 0 || len(p.Mends) != 1 {
				t.Errorf("with %d blocks: notes %v, %d mends, refusals %+v", tt.maxBlocks, p.Notes, len(p.Mends), messages(p.Refusals))
			}
			continue
		}
		if len(p.Refusals) != 1 || p.Refusals[0].Code != NotAnalysed || p.Refusals[0].Pos.Line != 18 {
			t.Errorf("refusals %+v, want one that names the function", p.Refusals)
		}
		if len(p.Notes) != 1 || p.Notes[0].Pos.Line != 18 || !strings.HasPrefix(p.Notes[0].Message, "(*S).Large was not analysed") {
			t.Errorf("notes %+v, want one that names the function", p.Notes)
		}
	}
}

func messages(refusals []Refusal) string {
	var b strings.Builder
	for _, r := range refusals {
		b.WriteString(string(r.Code) + ": " + r.Message + "\n")
	}
	return b.String()
}
