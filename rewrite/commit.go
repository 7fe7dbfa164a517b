// This file is the only one that writes user source. A run either replaces every file it was asked
// to, or leaves every one as it was, whatever fails and wherever the process dies.
//
// The order is the proof. Old contents reach the disk in the journal before the first file is
// touched; new contents reach it under temporary names before the first rename; the renames reach
// it before the journal is renamed into the record of the last run, which is the one moment at
// which the run turns from "to be taken back" into "done". See journal.go for that record.

package rewrite

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
)

// ErrNoRun is what Undo returns when there is no completed run to take back.
var ErrNoRun = errors.New("no run to take back")

// Commit writes the changes to the files below root, all or none. Files are not created below
// folders that do not exist, and nothing is written through a symbolic link.
//
// Before it writes, each file must hold exactly Change.Old, or not exist if Change.Create; the error
// names every file that fails this. Only one Commit, Undo or Recover runs per root at a time; a
// second one is an error, not a wait. A run that was interrupted earlier is taken back first.
func Commit(root string, changes []Change) error {
	files, err := filesOf(changes)
	if err != nil {
		return err
	}
	return withRun(root, osDisk{}, func(r *run) error {
		if _, err := r.recover(); err != nil {
			return err
		}
		return r.commit(files, false)
	})
}

// Undo takes back the last completed run on root: every file it replaced gets its old content and
// every file it created goes away, all or none. A file that does not hold what the run gave it is an
// error, and then nothing is written. A run that was interrupted is the last run, and is taken back
// as by Recover. Only the last run can be taken back; without one the error is ErrNoRun. Undo returns the files of
// the run, relative to root, sorted.
func Undo(root string) (files []string, err error) {
	err = withRun(root, osDisk{}, func(r *run) error {
		rec, err := r.undo()
		if rec != nil {
			files = rec.names()
		}
		return err
	})
	return files, err
}

// Interrupted reports whether root has a run that was interrupted, or that goes on now.
func Interrupted(root string) (bool, error) {
	return interruptedRun(root, osDisk{})
}

// Recover takes back a run on root that was interrupted, and reports whether there was one. A file
// that holds neither its old nor its new content is an error that names it, and then nothing is
// written. Without an interrupted run Recover writes nothing at all.
func Recover(root string) (recovered bool, err error) {
	return recoverRun(root, osDisk{})
}

// recoverRun is Recover on any disk.
func recoverRun(root string, d disk) (recovered bool, err error) {
	if interrupted, err := interruptedRun(root, d); err != nil || !interrupted {
		return false, err
	}
	err = withRun(root, d, func(r *run) error {
		rec, err := r.recover()
		recovered = rec != nil && err == nil
		return err
	})
	return recovered, err
}

// A target is one file of a run: what it holds before, what it is to hold after.
type target struct {
	entry
	after []byte      // new content; nil if the file goes away
	like  fs.FileInfo // the file before the run, for its owner; nil if there was none
	tried bool        // the file may have been touched
}

// filesOf turns changes into the targets of a run, sorted by file, leaving out those without effect.
func filesOf(changes []Change) ([]*target, error) {
	var files []*target
	for _, c := range changes {
		if !c.Create && bytes.Equal(c.Old, c.New) {
			continue
		}
		files = append(files, &target{
			entry: entry{File: c.File, Existed: !c.Create, Before: c.Old, Exists: true, Mode: c.Mode.Perm()},
			after: c.New,
		})
	}
	slices.SortFunc(files, func(x, y *target) int { return cmp.Compare(x.File, y.File) })

	var errs []error
	for i, f := range files {
		if _, err := filepath.Localize(f.File); err != nil || f.File == "." {
			errs = append(errs, fmt.Errorf("%q: not a path below the root", f.File))
		}
		if i > 0 && files[i-1].File == f.File {
			errs = append(errs, fmt.Errorf("%s: changed twice in one run", f.File))
		}
	}
	return files, errors.Join(errs...)
}

// commit carries out one run. undo says that it takes back another one, and so leaves none behind
// that could be taken back.
func (r *run) commit(files []*target, undo bool) error {
	if len(files) == 0 {
		return nil
	}
	if err := r.check(files); err != nil {
		return err
	}
	if err := r.perform(files, undo); err != nil {
		return errors.Join(err, r.rollBack(files))
	}
	return nil
}

// check reports every file that must not be written, and fills in the modes of the others.
func (r *run) check(files []*target) error {
	var errs []error
	for _, f := range files {
		if err := r.checkFile(f); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.File, err))
		}
	}
	return errors.Join(errs...)
}

// checkFile is check for one file.
func (r *run) checkFile(f *target) error {
	if err := r.checkFolder(path.Dir(f.File)); err != nil {
		return err
	}
	info, err := r.disk.Lstat(r.abs(f.File))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.Existed {
			return errors.New("changed since it was read: it is gone")
		}
		return nil
	case err != nil:
		return err
	case !f.Existed:
		return errors.New("changed since it was read: it exists already")
	// A rename would put a plain file in the place of the link, and the file behind it, which other
	// names may share, would stay as it was.
	case info.Mode()&fs.ModeSymlink != 0:
		return errors.New("cannot write to a symbolic link; change the file it points to")
	case !info.Mode().IsRegular():
		return errors.New("cannot write: not a regular file")
	// The rename needs no permission on the file itself, so without this a file that its author
	// locked would change all the same.
	case info.Mode()&0o200 == 0:
		return errors.New("cannot write to a read-only file")
	}
	if err := r.disk.CheckWritable(r.abs(f.File)); err != nil {
		return fmt.Errorf("cannot write to a read-only file: %w", err)
	}
	f.Mode, f.like = info.Mode().Perm(), info
	return r.unchanged(f)
}

// checkFolder reports a folder of a file that does not exist or that is a symbolic link: behind one
// lies a file that has another name, perhaps outside the root.
func (r *run) checkFolder(dir string) error {
	if dir == "." {
		return nil
	}
	if err := r.checkFolder(path.Dir(dir)); err != nil {
		return err
	}
	info, err := r.disk.Lstat(r.abs(dir))
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("cannot write behind the symbolic link %s", dir)
	case !info.IsDir():
		return fmt.Errorf("cannot write: %s is not a folder", dir)
	}
	return nil
}

// unchanged returns an error if a file does not hold what it held before the run.
func (r *run) unchanged(f *target) error {
	now, exists, err := r.read(f.File)
	switch {
	case err != nil:
		return err
	case !f.isBefore(now, exists):
		return errors.New("changed since it was read")
	}
	return nil
}

// perform writes journal, new contents, files and record, and stops at the first error.
func (r *run) perform(files []*target, undo bool) error {
	if err := r.begin(files, undo); err != nil {
		return err
	}
	for _, f := range files {
		if f.Exists {
			if err := r.disk.Write(r.temp(f.entry), f.after, f.Mode, f.like); err != nil {
				return fmt.Errorf("%s: %w", f.File, err)
			}
		}
	}
	for _, f := range files {
		if err := r.replace(f); err != nil {
			return fmt.Errorf("%s: %w", f.File, err)
		}
	}
	if err := r.syncFolders(files); err != nil {
		return err
	}
	return r.complete(undo)
}

// replace gives a file its new content. It looks at the old one again, since an editor may have
// saved the file while the other ones were written.
func (r *run) replace(f *target) error {
	if err := r.unchanged(f); err != nil {
		return err
	}
	f.tried = true
	if !f.Exists {
		return r.disk.Remove(r.abs(f.File))
	}
	return r.disk.Rename(r.temp(f.entry), r.abs(f.File))
}

// rollBack takes back a run that failed. Where that fails too, the journal stays for Recover.
func (r *run) rollBack(files []*target) error {
	var errs []error
	for _, f := range files {
		if !f.tried {
			continue
		}
		if err := r.restore(f); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.File, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w\nthe run is not taken back yet; the next one will try again", err)
	}
	return r.abandon(files)
}

// restore gives a file back the content it had before the run.
func (r *run) restore(f *target) error {
	now, exists, err := r.read(f.File)
	switch {
	case err != nil:
		return err
	case f.isBefore(now, exists):
		return nil
	case !f.isAfter(now, exists):
		return r.foreign()
	case !f.Existed:
		return r.disk.Remove(r.abs(f.File))
	}
	if err := r.disk.Write(r.temp(f.entry), f.Before, f.Mode, f.like); err != nil {
		return err
	}
	return r.disk.Rename(r.temp(f.entry), r.abs(f.File))
}

// foreign is the error for a file that somebody else changed during or after an interrupted run.
func (r *run) foreign() error {
	return fmt.Errorf("holds neither its old nor its new content after an interrupted run; bring back one of them, or remove %s to keep all files as they are", r.journal())
}

// abandon removes what a run that was taken back has left: temporary files, then the journal.
func (r *run) abandon(files []*target) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, r.remove(r.temp(f.entry)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := r.syncFolders(files); err != nil {
		return err
	}
	return errors.Join(r.remove(r.newJournal()), r.remove(r.journal()), r.disk.SyncDir(r.state))
}

// syncFolders makes the renames in the folders of the files last. A folder that is gone, which only
// happens after an interrupted run, has none.
func (r *run) syncFolders(files []*target) error {
	done := make(map[string]bool)
	for _, f := range files {
		dir := path.Dir(f.File)
		if done[dir] {
			continue
		}
		done[dir] = true
		if err := r.disk.SyncDir(r.abs(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// recover takes back the interrupted run, whose record it returns, or nil if there was none. It may
// itself be interrupted at any place and begin again.
func (r *run) recover() (*record, error) {
	rec, err := r.readRecord(r.journal())
	if rec == nil || err != nil {
		return nil, err
	}
	var files []*target
	var errs []error
	for _, e := range rec.Files {
		f := &target{entry: e, tried: true}
		if err := r.inspect(f); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.File, err))
		}
		files = append(files, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return rec, r.rollBack(files)
}

// inspect finds whose a file of an interrupted run is, or returns an error if the run cannot have
// left it as it is.
func (r *run) inspect(f *target) error {
	now, exists, err := r.read(f.File)
	if err != nil {
		return err
	}
	if !f.isBefore(now, exists) && !f.isAfter(now, exists) {
		return r.foreign()
	}
	info, err := r.disk.Lstat(r.abs(f.File))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.like = info
	return nil
}

// undo is Undo under the lock. It returns the record of the run that it took back.
func (r *run) undo() (*record, error) {
	interrupted, err := r.recover()
	if err != nil {
		return nil, err
	}
	if interrupted != nil && !interrupted.Undo {
		return interrupted, nil
	}
	last, err := r.readRecord(r.last())
	if err != nil {
		return nil, err
	}
	if last == nil || last.Undo {
		return nil, ErrNoRun
	}
	files, err := r.inverse(last)
	if err != nil {
		return nil, err
	}
	if err := r.commit(files, true); err != nil {
		return nil, err
	}
	return last, nil
}

// inverse returns the run that takes rec back, or an error for each file that rec did not leave as
// it is now.
func (r *run) inverse(rec *record) ([]*target, error) {
	var files []*target
	var errs []error
	for _, e := range rec.Files {
		now, exists, err := r.read(e.File)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", e.File, err))
		case !e.isAfter(now, exists):
			errs = append(errs, fmt.Errorf("%s: changed since the run that is to be taken back", e.File))
		}
		files = append(files, &target{
			entry: entry{File: e.File, Existed: e.Exists, Before: now, Exists: e.Existed, Mode: e.Mode},
			after: e.Before,
		})
	}
	return files, errors.Join(errs...)
}

// read returns what a file holds, and whether it exists.
func (r *run) read(file string) (content []byte, exists bool, err error) {
	content, err = r.disk.ReadFile(r.abs(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return content, err == nil, err
}

// remove removes a file of our own, which need not be there.
func (r *run) remove(name string) error {
	if err := r.disk.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// abs is where a file of the run lies.
func (r *run) abs(file string) string {
	return filepath.Join(r.root, filepath.FromSlash(file))
}

// temp is where the new content of a file waits for its rename: in the same folder, since a rename
// does not cross file systems, under a name the go command does not look at.
func (r *run) temp(e entry) string {
	return filepath.Join(filepath.Dir(r.abs(e.File)), e.Temp)
}

// disk is every operation of a run that can fail half way. Tests have one that does.
type disk interface {
	Lstat(name string) (fs.FileInfo, error)
	ReadFile(name string) ([]byte, error)
	CheckWritable(name string) error
	MkdirAll(name string) error

	// Write makes name hold data, on the disk when it returns. With like, or with a mode that is
	// not 0, the mode is exact, else the umask decides; owner and group are those of like as far as
	// the system lets us.
	Write(name string, data []byte, mode fs.FileMode, like fs.FileInfo) error
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(name string) error
}

// osDisk is the disk of the operating system.
type osDisk struct{}

func (osDisk) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }
func (osDisk) ReadFile(name string) ([]byte, error)   { return os.ReadFile(name) }
func (osDisk) MkdirAll(name string) error             { return os.MkdirAll(name, 0o700) }
func (osDisk) Rename(from, to string) error           { return os.Rename(from, to) }
func (osDisk) Remove(name string) error               { return os.Remove(name) }

// CheckWritable finds what the permission bits do not tell: another owner, a read-only file system,
// an immutable file.
func (osDisk) CheckWritable(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func (osDisk) Write(name string, data []byte, mode fs.FileMode, like fs.FileInfo) (err error) {
	exact := mode != 0
	if !exact {
		mode = 0o666
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if like != nil {
		keepOwner(f, like)
	}
	if exact {
		if err := f.Chmod(mode); err != nil {
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// SyncDir makes renames in a folder last. Windows and some file systems cannot, and do not need it.
func (osDisk) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
