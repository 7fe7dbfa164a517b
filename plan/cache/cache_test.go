package cache

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func key(name string) Key { return sha256.Sum256([]byte(name)) }

func TestGetPut(t *testing.T) {
	c := Open(filepath.Join(t.TempDir(), "new", "folder"))
	if _, ok := c.Get(key("a")); ok {
		t.Error("an answer in an empty cache")
	}
	for _, answer := range []string{"", "one", "two"} {
		if err := c.Put(key("a"), []byte(answer)); err != nil {
			t.Fatal(err)
		}
		if got, ok := c.Get(key("a")); !ok || string(got) != answer {
			t.Errorf("got %q, %v, want %q", got, ok, answer)
		}
	}
	if _, ok := c.Get(key("b")); ok {
		t.Error("the answer to another question")
	}
}

// TestDamaged checks that no byte of an entry can be changed or be missing, and that an entry under another name is none.
func TestDamaged(t *testing.T) {
	c := Open(t.TempDir())
	if err := c.Put(key("a"), []byte("the answer")); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(c.file(key("a")))
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1
		for what, data := range map[string][]byte{"flipped": flipped, "cut off": whole[:i]} {
			if err := os.WriteFile(c.file(key("a")), data, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, ok := c.Get(key("a")); ok {
				t.Errorf("%s at %d: got %q", what, i, got)
			}
		}
	}
	if err := os.WriteFile(c.file(key("b")), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Get(key("b")); ok {
		t.Errorf("renamed: got %q", got)
	}
}

func TestTrim(t *testing.T) {
	c := &Cache{t.TempDir(), 1000}
	for i := range 30 {
		k := key(fmt.Sprint(i))
		if err := c.Put(k, make([]byte, 100-sha256.Size)); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(i-100) * time.Minute)
		if err := os.Chtimes(c.file(k), old, old); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Get(key("0")); !ok {
			t.Fatal("what was asked for just now was taken out")
		}
		all, _, err := c.entries()
		if size := sizeOf(all); err != nil || size > 1000 {
			t.Errorf("%d bytes in the cache, %v", size, err)
		}
	}
	if _, ok := c.Get(key("29")); !ok {
		t.Error("the newest entry was taken out")
	}
	if _, ok := c.Get(key("1")); ok {
		t.Error("the oldest entry was not taken out")
	}

	left := filepath.Join(c.dir, strings.Replace(half, "*", "1", 1))
	mine := filepath.Join(c.dir, "notes.txt")
	for _, name := range []string{left, mine} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-2 * abandoned)
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.trim(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what an ended process left is still there")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("a file that is no entry was taken out")
	}
}

// TestConcurrent checks that readers see whole entries while several write and trim.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			c := &Cache{dir, 20_000}
			for i := range 200 {
				name := fmt.Sprint(i % 7)
				want := bytes.Repeat([]byte(name), 5000)
				if err := c.Put(key(name), want); err != nil {
					t.Error(err)
				}
				if got, ok := c.Get(key(name)); ok && !bytes.Equal(got, want) {
					t.Errorf("another answer to %s", name)
				}
			}
		})
	}
	group.Wait()
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := Open(file)
	if err := c.Put(key("a"), nil); err == nil {
		t.Error("an entry was written in a folder that is none")
	}
	if _, ok := c.Get(key("a")); ok {
		t.Error("an entry was read from a folder that is none")
	}
}
