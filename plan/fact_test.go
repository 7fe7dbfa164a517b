package plan

import (
	"bytes"
	"encoding/gob"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mapmend/plan/load"
	"mapmend/plan/lockset"
)

// maxFact bounds the size of one fact in bytes, so that what crosses packages stays small.
const maxFact = 64 << 10

// What a function does is a fact: it crosses packages, and is to cross processes. It is the same after
// gob, and has the same bytes each time.
func TestFactsAreData(t *testing.T) {
	prog, err := load.Load(load.Config{Dir: "../testdata/etcdlike", Tests: true, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")})
	if err != nil {
		t.Fatal(err)
	}
	world, _, err := analyse(prog, Options{}.tell, lockset.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(world.Effects) == 0 {
		t.Fatal("the example has no functions")
	}
	for key, e := range world.Effects {
		data := encode(t, e)
		again := new(lockset.Effect)
		if err := gob.NewDecoder(bytes.NewReader(data)).Decode(again); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if diff := cmp.Diff(e, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s does not survive gob (-made +read):\n%s", key, diff)
		}
		if !bytes.Equal(encode(t, again), data) {
			t.Errorf("%s has other bytes the second time", key)
		}
		if len(data) > maxFact {
			t.Errorf("%s takes %d bytes, more than %d", key, len(data), maxFact)
		}
	}
}

func encode(t *testing.T, e *lockset.Effect) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(e); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
