package evidence

// This file tells by its content what a file is.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Evidence is what was read. The zero Evidence is nothing.
type Evidence struct {
	Reports  []Report   // crashes and races
	Profiles []Profile  // of delays at locks, and of CPU time
	Coverage []Coverage // how often statements ran
}

// IsEmpty reports whether e is nothing.
func (e Evidence) IsEmpty() bool { return len(e.Reports)+len(e.Profiles)+len(e.Coverage) == 0 }

// With returns e and f.
func (e Evidence) With(f Evidence) Evidence {
	return Evidence{
		append(e.Reports[:len(e.Reports):len(e.Reports)], f.Reports...),
		append(e.Profiles[:len(e.Profiles):len(e.Profiles)], f.Profiles...),
		append(e.Coverage[:len(e.Coverage):len(e.Coverage)], f.Coverage...),
	}
}

// maxSize is how many bytes a profile or the counts of a coverage may have, unpacked. The largest that were seen have a tenth of it.
const maxSize = 64 << 20

// headSize is how many bytes tell what a file is.
const headSize = 512

var packed = []byte{0x1f, 0x8b}

// Read reads all that r has, which source names. What has nothing that can be used is an error that does not name it.
func Read(r io.Reader, source string) (Evidence, error) {
	in := bufio.NewReaderSize(r, headSize)
	if head, _ := in.Peek(len(packed)); !bytes.Equal(head, packed) {
		return readPlain(in, source)
	}
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		return Evidence{}, fmt.Errorf("unpacking it: %w", err)
	}
	data, err := whole(unpacked)
	if err != nil {
		return Evidence{}, fmt.Errorf("unpacking it: %w", err)
	}
	return readPlain(bufio.NewReaderSize(bytes.NewReader(data), headSize), source)
}

// kinds are what a file can begin with, and how it is read on.
var kinds = []struct {
	head *regexp.Regexp
	read func(data []byte, source string) (Evidence, error)
}{
	{regexp.MustCompile(`^mode: `), readCoverage},
	{regexp.MustCompile(`^--- (mutex|contention):`), readDelays},
	{regexp.MustCompile(`^(heap|goroutine|threadcreate|allocs) profile: `), noDelays},
	{regexp.MustCompile(`^go 1\.\d+ trace`), noTrace},
	{regexp.MustCompile(`^[^\x00-\x08\x0e-\x1a\x1c-\x1f]*[\x00-\x08\x0e-\x1a\x1c-\x1f]`), readProfile},
}

func readPlain(in *bufio.Reader, source string) (Evidence, error) {
	head, _ := in.Peek(headSize)
	for _, k := range kinds {
		if !k.head.Match(head) {
			continue
		}
		data, err := whole(in)
		if err != nil {
			return Evidence{}, err
		}
		return k.read(data, source)
	}
	reports, err := ReadReports(in, source)
	if err == nil && len(reports) == 0 {
		err = errors.New("no crash by concurrent map use and no race report is in it, and it is no profile")
	}
	return Evidence{Reports: reports}, err
}

// whole returns all that r has, or an error if that is more than maxSize.
func whole(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxSize:
		return nil, fmt.Errorf("it has more than %d MB", maxSize>>20)
	}
	return data, nil
}

func noDelays(data []byte, _ string) (Evidence, error) {
	kind, _, _ := strings.Cut(string(data[:min(len(data), headSize)]), " ")
	return Evidence{}, fmt.Errorf("it is a %s profile: %s", kind, useful)
}

func noTrace([]byte, string) (Evidence, error) {
	return Evidence{}, errors.New("it is an execution trace: 'go tool trace -pprof=sync' makes a block profile of it")
}

// useful says which profiles are.
const useful = "only mutex, block and CPU profiles tell how a map is used"
