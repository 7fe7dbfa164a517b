// This file is the one value that leaves this package: what a file holds now and what it is to hold.

package rewrite

import "io/fs"

// A Change is the whole new content of one file. It is plain data: whoever holds one may keep it,
// compare it and print it, and nobody alters the bytes it points at.
type Change struct {
	File   string      // path relative to the root of the run, with slashes, below that root
	Old    []byte      // what the file held when it was read; nil when Create
	New    []byte      // what it is to hold
	Create bool        // the file does not exist yet
	Mode   fs.FileMode // permission bits of a new file, 0 meaning those the umask leaves; an existing file keeps its own
}
