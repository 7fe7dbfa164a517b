// This file is the lock that keeps two runs apart. The kernel lets go of it when the process dies,
// so none is ever left behind.

package rewrite

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// errLocked means that another process, or another run of this one, holds the lock.
var errLocked = errors.New("locked")

// lockFile takes the lock that name stands for, without waiting: it opens the file shared with
// nobody.
func lockFile(name string) (unlock func() error, err error) {
	const sharingViolation = syscall.Errno(32)
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(p, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err == sharingViolation {
		return nil, errLocked
	}
	if err != nil {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
	}
	return func() error { return syscall.CloseHandle(h) }, nil
}

// keepOwner does nothing: a file created here belongs to whoever owns the folder's other files.
func keepOwner(*os.File, fs.FileInfo) {}
