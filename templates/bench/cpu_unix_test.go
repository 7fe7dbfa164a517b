//go:build unix

package bench

import (
	"syscall"
	"time"
)

// cpuTime returns how long processors have run this process, or 0 if that is not known.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
