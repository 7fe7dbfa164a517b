// This file is the lock that keeps two runs apart. The kernel lets go of it when the process dies,
// so none is ever left behind.

//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package rewrite

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// errLocked means that another process, or another run of this one, holds the lock.
var errLocked = errors.New("locked")

// lockFile takes the lock that name stands for, without waiting.
func lockFile(name string) (unlock func() error, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		if err == syscall.EWOULDBLOCK {
			return nil, errLocked
		}
		return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
	}
	return func() error {
		// Not by Close alone: a process being started from here shares the file for a moment.
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
		return errors.Join(err, f.Close())
	}, nil
}

// keepOwner gives a file the owner and group of like. Who may not keeps his own, as with git.
func keepOwner(f *os.File, like fs.FileInfo) {
	if stat, ok := like.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(stat.Uid), int(stat.Gid))
	}
}
