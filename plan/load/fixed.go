package load

import (
	"io/fs"
	"os"
	"path/filepath"
)

// This file asks whether a file can be replaced by another of its name.

// Fixed says why the file f may not be written, as "is a symbolic link"; it returns "" when nothing is known against
// it. It asks the disk each time.
func (p *Program) Fixed(f *File) string {
	info, err := os.Lstat(f.Abs)
	switch {
	case err != nil:
		return ""
	case info.Mode()&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case !info.Mode().IsRegular():
		return "is not a regular file"
	case info.Mode()&0o200 == 0:
		return "is read-only"
	}
	rel, err := filepath.Rel(p.Root, filepath.Dir(f.Abs))
	if err != nil {
		return ""
	}
	root, errRoot := filepath.EvalSymlinks(p.Root)
	dir, errDir := filepath.EvalSymlinks(filepath.Dir(f.Abs))
	if errRoot == nil && errDir == nil && dir != filepath.Join(root, rel) {
		return "lies behind a symbolic link"
	}
	return ""
}
