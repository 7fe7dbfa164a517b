package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"go/token"
	"slices"
	"sync"

	"mapmend/plan/load"
	"mapmend/plan/lockset"
	"mapmend/plan/pack"
	"mapmend/plan/share"
)

// This file keeps what was found of single packages for the next run, in which most of them are as they were.

// Summaries are what was found of packages, by all that decides it but for the tool. They are for programs that are analysed one after the other. The nil
// Summaries keep nothing.
type Summaries struct {
	mu   sync.Mutex
	old  map[load.Sum][]byte // of an earlier run
	used map[load.Sum][]byte // of this one

	Analysed int // how many packages had no summary
	Recalled int // and how many had one
}

// summary is one of Summaries as it is kept.
type summary struct {
	Key  load.Sum
	Data []byte
}

// ReadSummaries returns the summaries that Bytes returned in earlier runs of the same tool. What is anything else has none.
func ReadSummaries(kept ...[]byte) *Summaries {
	s := &Summaries{old: make(map[load.Sum][]byte), used: make(map[load.Sum][]byte)}
	for _, data := range kept {
		var list []summary
		if pack.Unmarshal(data, &list, nil) != nil {
			continue
		}
		for _, k := range list {
			s.old[k.Key] = k.Data
		}
	}
	return s
}

// Bytes returns the summaries of the packages that were asked for since s was read.
func (s *Summaries) Bytes() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []summary
	for key, data := range s.used {
		if data != nil {
			kept = append(kept, summary{key, data})
		}
	}
	slices.SortFunc(kept, func(a, b summary) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return pack.Marshal(kept, nil)
}

// get returns what is kept under key; nil if nothing is.
func (s *Summaries) get(key load.Sum) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.old[key]
}

// use notes that data, which was recalled or is new, is what is known under key.
func (s *Summaries) use(key load.Sum, data []byte, recalled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[key] = data
	if recalled {
		s.Recalled++
	} else {
		s.Analysed++
	}
}

// summarizer finds what there is to know of the packages of one program, or knows it.
type summarizer struct {
	*Summaries
	prog   *load.Program
	with   []byte // what decides it besides the packages
	places map[string]*token.File
}

// summarizer returns what analyses packages of prog as cfg says.
func (s *Summaries) summarizer(prog *load.Program, cfg lockset.Config) *summarizer {
	z := &summarizer{prog: prog}
	if s == nil || cfg.Effect != nil {
		return z
	}
	with, err := json.Marshal([]any{cfg.Library.Extension(), cfg.MaxBlocks})
	if err == nil {
		z.Summaries, z.with, z.places = s, with, prog.Places()
	}
	return z
}

// summary returns what is known of pkg, or finds it. What cannot be kept is found again in each run.
func (z *summarizer) summary(pkg *load.Package, cfg lockset.Config, effect func(string) *lockset.Effect) (*share.Analysed, error) {
	if z.Summaries == nil {
		return analysePackage(z.prog, pkg, cfg, effect)
	}
	key := load.Sum(sha256.Sum256(slices.Concat(pkg.Sum[:], z.with)))
	if data := z.get(key); data != nil && !pkg.Sum.IsZero() {
		a := new(share.Analysed)
		if pack.Unmarshal(data, a, z.pos) == nil {
			z.use(key, data, true)
			return a, nil
		}
	}
	a, err := analysePackage(z.prog, pkg, cfg, effect)
	if err != nil {
		return nil, err
	}
	data, err := pack.Marshal(*a, z.place)
	if err != nil || pkg.Sum.IsZero() {
		data = nil
	}
	z.use(key, data, false)
	return a, nil
}

// place returns where p is in a file of the program.
func (z *summarizer) place(p token.Pos) (file string, offset int, ok bool) {
	f := z.prog.Fset.File(p)
	if f == nil || z.places[f.Name()] != f {
		return "", 0, false
	}
	return f.Name(), int(p) - f.Base(), true
}

// pos returns the position that place was told of.
func (z *summarizer) pos(file string, offset int) (token.Pos, bool) {
	f := z.places[file]
	if f == nil || offset < 0 || offset > f.Size() {
		return token.NoPos, false
	}
	return token.Pos(f.Base() + offset), true
}
