// This file is the lock that keeps two runs apart, on systems without one that ends with the
// process: a file that exists. One that a crash left behind has to be removed by hand.

//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package rewrite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errLocked means that another process, or another run of this one, holds the lock.
var errLocked = errors.New("locked")

// lockFile takes the lock that name stands for, without waiting.
func lockFile(name string) (unlock func() error, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: if no mapmend is running, remove %s", errLocked, name)
	}
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(f.Close(), os.Remove(name)) }, nil
}

// keepOwner does nothing: these systems have no owner to keep, or no call to set one.
func keepOwner(*os.File, fs.FileInfo) {}
