// This file is what a run remembers: the journal while it goes on, the record once it is done. Both
// are the same file; renaming the one into the other is how a run is completed.
//
//	journal.new   the journal while it is written; worth nothing
//	journal       a run has begun: take it back, unless it is completed
//	last          the last completed run: Undo may take it back
//	lock          held while a run goes on

package rewrite

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// recordSchema names the form of a record. It changes with the meaning of a field.
const recordSchema = "mapmend/run/v1"

// record is one run as written to the disk.
type record struct {
	Schema string  `json:"schema"`
	Root   string  `json:"root"`           // where the run took place, for people
	Undo   bool    `json:"undo,omitempty"` // it took back another run
	Files  []entry `json:"files"`          // sorted by file
}

// names returns the files of rec.
func (rec *record) names() []string {
	var names []string
	for _, e := range rec.Files {
		names = append(names, e.File)
	}
	return names
}

// entry is one file of a run. New contents are not kept: their hash tells whether the file still
// holds what the run gave it, and nobody needs them back.
type entry struct {
	File    string      `json:"file"`             // relative to the root, with slashes
	Temp    string      `json:"temp"`             // base name of the temporary file beside it
	Mode    fs.FileMode `json:"mode"`             // permission bits
	Existed bool        `json:"existed"`          // the file exists before the run
	Before  []byte      `json:"before,omitempty"` // its content then
	Exists  bool        `json:"exists"`           // the file exists after the run
	After   string      `json:"after,omitempty"`  // hash of its content then
}

// isBefore reports whether a file is as it was before the run.
func (e entry) isBefore(now []byte, exists bool) bool {
	return exists == e.Existed && bytes.Equal(now, e.Before)
}

// isAfter reports whether a file is as the run leaves it.
func (e entry) isAfter(now []byte, exists bool) bool {
	return exists == e.Exists && (!exists || hash(now) == e.After)
}

// hash names a content.
func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// run is the right to write below a root: it exists while the lock is held.
type run struct {
	disk  disk
	root  string // absolute, symbolic links resolved
	state string // folder of the journal
}

func (r *run) newJournal() string { return filepath.Join(r.state, "journal.new") }
func (r *run) journal() string    { return filepath.Join(r.state, "journal") }
func (r *run) last() string       { return filepath.Join(r.state, "last") }

// withRun calls do with the lock of root held.
func withRun(root string, d disk, do func(*run) error) (err error) {
	root, state, err := stateFolder(root, os.UserCacheDir)
	if err != nil {
		return err
	}
	if err := d.MkdirAll(state); err != nil {
		return err
	}
	unlock, err := lockFile(filepath.Join(state, "lock"))
	if err != nil {
		if errors.Is(err, errLocked) {
			return fmt.Errorf("%s: another run of mapmend is writing here: %w", root, err)
		}
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return do(&run{disk: d, root: root, state: state})
}

// interruptedRun reports whether root has a journal: a run was interrupted, or goes on now.
func interruptedRun(root string, d disk) (bool, error) {
	root, state, err := stateFolder(root, os.UserCacheDir)
	if err != nil {
		return false, err
	}
	r := &run{disk: d, root: root, state: state}
	_, err = d.Lstat(r.journal())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// begin gives each file its temporary name and writes the journal.
func (r *run) begin(files []*target, undo bool) error {
	rec := record{Schema: recordSchema, Root: r.root, Undo: undo}
	id := strings.ToLower(rand.Text()[:10])
	for i, f := range files {
		f.Temp = fmt.Sprintf(".mapmend-%s-%d.tmp", id, i)
		if f.Exists {
			f.After = hash(f.after)
		}
		rec.Files = append(rec.Files, f.entry)
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if err := r.disk.Write(r.newJournal(), data, 0o600, nil); err != nil {
		return err
	}
	if err := r.disk.Rename(r.newJournal(), r.journal()); err != nil {
		return err
	}
	return r.disk.SyncDir(r.state)
}

// complete turns the journal into the record of the last run: before this rename the run is taken
// back by whoever finds it, after it the run is done.
func (r *run) complete(undo bool) error {
	if err := r.disk.Rename(r.journal(), r.last()); err != nil {
		// A rename may fail after it took place, on a network file system; then the run is done.
		if _, missing := r.disk.Lstat(r.journal()); !errors.Is(missing, fs.ErrNotExist) {
			return err
		}
	}
	// Both are for tidiness: if power fails before the rename lasts, the run is taken back whole,
	// and the record of an undo counts as none.
	_ = r.disk.SyncDir(r.state)
	if undo {
		_ = r.disk.Remove(r.last())
	}
	return nil
}

// readRecord reads a journal or the record of the last run; nil if there is none. Its names are
// checked like those of a plan, since they decide what is written and removed.
func (r *run) readRecord(name string) (*record, error) {
	data, err := r.disk.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(data, &rec); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if rec.Schema != recordSchema {
		return nil, fmt.Errorf("%s: written by another version of mapmend (%q)", name, rec.Schema)
	}
	for _, e := range rec.Files {
		temp := strings.HasPrefix(e.Temp, ".mapmend-") && !strings.ContainsAny(e.Temp, `/\`)
		if _, err := filepath.Localize(e.File); err != nil || !temp {
			return nil, fmt.Errorf("%s: not a file below the root: %q", name, e.File)
		}
	}
	return &rec, nil
}

// stateFolder returns root in its one spelling, and the folder that keeps its journal: in the
// repository's git directory, where it goes away with the checkout, else in the user's cache. Each
// root has its own, so the modules of one repository do not take back each other's runs.
func stateFolder(root string, cacheDir func() (string, error)) (abs, state string, err error) {
	abs, err = filepath.Abs(root)
	if err != nil {
		return "", "", err
	}
	abs, err = filepath.EvalSymlinks(abs)
	if err != nil {
		return "", "", err
	}
	if top, gitDir := findGitDir(abs); gitDir != "" {
		rel, err := filepath.Rel(top, abs)
		if err != nil {
			return "", "", err
		}
		// Relative, so that a checkout that is moved keeps its journal.
		return abs, filepath.Join(gitDir, "mapmend", hash([]byte(filepath.ToSlash(rel)))[:16]), nil
	}
	cache, err := cacheDir()
	if err != nil {
		return "", "", fmt.Errorf("cannot find a folder for the journal: %w", err)
	}
	return abs, filepath.Join(cache, "mapmend", hash([]byte(abs))[:16]), nil
}

// findGitDir returns the top of the working tree around dir and its git directory, or two empty
// strings. It is what "git rev-parse --git-dir" says, without needing git: .git is that directory,
// or, in a submodule or a second working tree, a file that points to it.
func findGitDir(dir string) (top, gitDir string) {
	for {
		gitDir := filepath.Join(dir, ".git")
		if data, err := os.ReadFile(gitDir); err == nil {
			to, found := strings.CutPrefix(strings.TrimRight(string(data), "\r\n"), "gitdir: ")
			if !found {
				to = ""
			}
			gitDir = filepath.FromSlash(to)
			if !filepath.IsAbs(gitDir) {
				gitDir = filepath.Join(dir, gitDir)
			}
		}
		// Every git directory has a HEAD; a folder that only has the name is none.
		if info, err := os.Stat(filepath.Join(gitDir, "HEAD")); err == nil && !info.IsDir() {
			return dir, gitDir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", ""
		}
		dir = up
	}
}
