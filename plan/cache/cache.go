package cache

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxSize is how many bytes the entries may have together. An answer on a module of 70,000 lines has some ten thousand, the
// summaries of its packages two million.
const maxSize = 256 << 20

// A Key names an answer: a hash of all that decides it.
type Key [sha256.Size]byte

// Cache is a folder of entries. It may be used concurrently, and by several processes.
type Cache struct {
	dir string
	max int64
}

// Open returns the cache in the folder dir, which need not exist: the first entry makes it.
func Open(dir string) *Cache { return &Cache{filepath.Clean(dir), maxSize} }

const (
	suffix = ".answer" // of an entry
	half   = "half-*"  // of a file that is to become one
)

// abandoned is the age from which on a file that was to become an entry is what an ended process left.
const abandoned = time.Hour

// recent is for how long an entry that was asked for counts as new, so that few reads write.
const recent = time.Hour

// Owns reports whether the named file is one that the cache makes, by its name alone.
func (c *Cache) Owns(name string) bool {
	base := filepath.Base(name)
	return filepath.Dir(name) == c.dir && (strings.HasSuffix(base, suffix) || strings.HasPrefix(base, strings.TrimSuffix(half, "*")))
}

func (c *Cache) file(k Key) string { return filepath.Join(c.dir, hex.EncodeToString(k[:])+suffix) }

// seal returns what stands before the answer of an entry.
func seal(k Key, answer []byte) []byte {
	h := sha256.New()
	h.Write(k[:])
	h.Write(answer)
	return h.Sum(nil)
}

// Get returns the answer that is kept under k; false if there is none that is whole.
func (c *Cache) Get(k Key) ([]byte, bool) {
	data, err := os.ReadFile(c.file(k))
	if err != nil || len(data) < sha256.Size {
		return nil, false
	}
	answer := data[sha256.Size:]
	if !bytes.Equal(data[:sha256.Size], seal(k, answer)) {
		return nil, false
	}
	if info, err := os.Stat(c.file(k)); err == nil && time.Since(info.ModTime()) > recent {
		now := time.Now()
		_ = os.Chtimes(c.file(k), now, now) // without it the entry goes earlier
	}
	return answer, true
}

// Put keeps answer under k, and takes out old entries if there is too much.
func (c *Cache) Put(k Key, answer []byte) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(c.dir, half)
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails once it is renamed
	_, err = temp.Write(slices.Concat(seal(k, answer), answer))
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), c.file(k)); err != nil {
		return err
	}
	return c.trim()
}

// entry is a file of the cache.
type entry struct {
	name string
	size int64
	used time.Time
}

// entries returns the entries, those that were not used the longest first, and the names of what became none and is old.
func (c *Cache) entries() (whole []entry, left []string, err error) {
	files, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, f := range files {
		info, err := f.Info()
		name := filepath.Join(c.dir, f.Name())
		switch {
		case err != nil || !info.Mode().IsRegular(): // gone since, or none of ours
		case strings.HasSuffix(name, suffix):
			whole = append(whole, entry{name, info.Size(), info.ModTime()})
		case strings.HasPrefix(f.Name(), strings.TrimSuffix(half, "*")) && time.Since(info.ModTime()) > abandoned:
			left = append(left, name)
		}
	}
	slices.SortFunc(whole, func(a, b entry) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name)) })
	return whole, left, err
}

// trim takes out what ended processes left and, when the entries have more than c.max bytes together, the oldest, until they have
// three quarters of that.
func (c *Cache) trim() error {
	all, left, err := c.entries()
	for _, name := range left {
		err = errors.Join(err, remove(name))
	}
	size := sizeOf(all)
	if size <= c.max {
		return err
	}
	for _, e := range all {
		if size <= c.max/4*3 {
			break
		}
		size -= e.size
		err = errors.Join(err, remove(e.name))
	}
	return err
}

func sizeOf(all []entry) (size int64) {
	for _, e := range all {
		size += e.size
	}
	return size
}

// remove removes a file, which another process may have removed before.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
