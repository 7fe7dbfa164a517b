//go:build !unix

package bench

import "time"

// cpuTime returns how long processors have run this process, or 0 if that is not known.
func cpuTime() time.Duration { return 0 }
