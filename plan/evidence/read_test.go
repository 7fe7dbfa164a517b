package evidence

// This file tests profiles and coverage, those that cannot be used among them.

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"
)

// built returns a profile of one sample with the values, whose columns are types, "delay/nanoseconds" and the like.
func built(values []int64, named bool, types ...string) *profile.Profile {
	p := &profile.Profile{PeriodType: &profile.ValueType{Type: "contentions", Unit: "count"}, Period: 1, DurationNanos: 5e9}
	for _, t := range types {
		name, unit, _ := strings.Cut(t, "/")
		p.SampleType = append(p.SampleType, &profile.ValueType{Type: name, Unit: unit})
	}
	fn := func(id uint64, name, file string) *profile.Function {
		f := &profile.Function{ID: id, Name: name, Filename: file}
		p.Function = append(p.Function, f)
		return f
	}
	loc := func(id uint64, lines ...profile.Line) *profile.Location {
		if !named {
			lines = nil
		}
		l := &profile.Location{ID: id, Address: 16 * id, Line: lines}
		p.Location = append(p.Location, l)
		return l
	}
	inlined := fn(1, "sync.(*Mutex).Unlock", "/usr/local/go/src/sync/mutex.go")
	caller := fn(2, "gopkg.in/app%2ev2.(*Store[...]).Put", `C:\src\store.go`)
	p.Sample = append(p.Sample, &profile.Sample{Location: []*profile.Location{loc(1, profile.Line{Function: inlined, Line: 65}, profile.Line{Function: caller, Line: 17})}, Value: values})
	if !named {
		p.Function = nil
	}
	return p
}

func packedBytes(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func plainBytes(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func squeezed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const text = `--- mutex:
cycles/second=2000000000
sampling period=1
4000000000 12 @ 0x1 0x2
#	0x1	sync.(*Mutex).Unlock+0x44		/usr/local/go/src/sync/mutex.go:65
#	0x2	gopkg.in/app%2ev2.(*Store[...]).Put+0x5c	C:\src\store.go:17

`

func TestReadProfile(t *testing.T) {
	stack := []Frame{{"sync", "(*Mutex).Unlock", "/usr/local/go/src/sync/mutex.go", 65}, {"gopkg.in/app.v2", "(*Store).Put", "C:/src/store.go", 17}}
	delays := built([]int64{12, 2e9}, true, "contentions/count", "delay/nanoseconds")
	micro := built([]int64{12, 2e6}, true, "contentions/count", "delay/microseconds")
	cpu := built([]int64{12, 2e9}, true, "samples/count", "cpu/nanoseconds")
	want := func(m Measure, over time.Duration) []Profile {
		return []Profile{{Source: "p", Measure: m, Duration: over, Samples: []Sample{{Stack: stack, Count: 12, Nanos: 2e9}}}}
	}
	none := built(nil, true, "contentions/count", "delay/nanoseconds")
	none.Sample = nil
	for _, test := range []struct {
		name string
		data []byte
		want []Profile
	}{
		{"packed", packedBytes(t, delays), want(Delay, 5*time.Second)},
		{"plain", plainBytes(t, delays), want(Delay, 5*time.Second)},
		{"microseconds", packedBytes(t, micro), want(Delay, 5*time.Second)},
		{"CPU", packedBytes(t, cpu), want(CPU, 5*time.Second)},
		{"text", []byte(text), want(Delay, 0)},
		{"text of a block profile", []byte(strings.Replace(text, "mutex", "contention", 1)), want(Delay, 0)},
		{"text, packed", squeezed(t, []byte(text)), want(Delay, 0)},
		{"text of another system", []byte(strings.ReplaceAll(text, "\n", "\r\n")), want(Delay, 0)},
		{"no sample", packedBytes(t, none), []Profile{{Source: "p", Measure: Delay, Duration: 5 * time.Second}}},
		{"text without sample", []byte("--- mutex:\ncycles/second=2000000000\nsampling period=1\n"), []Profile{{Source: "p", Measure: Delay}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(bytes.NewReader(test.data), "p")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Evidence{Profiles: test.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadIsRefused(t *testing.T) {
	good := packedBytes(t, built([]int64{1, 2}, true, "contentions/count", "delay/nanoseconds"))
	bomb := squeezed(t, make([]byte, maxSize+1))
	empties := bytes.Repeat([]byte{0x12, 0x00}, maxRecords+1) // samples without content
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no crash by concurrent map use and no race report is in it, and it is no profile"},
		{"cut off", good[:len(good)/2], "unpacking it: unexpected EOF"},
		{"no end", good[:len(good)-4], "unpacking it: unexpected EOF"},
		{"only begun", good[:2], "unpacking it: "},
		{"unpacks to too much", bomb, "unpacking it: it has more than 64 MB"},
		{"too large", append([]byte{0}, make([]byte, maxSize)...), "it has more than 64 MB"},
		{"too many records", empties, "it has more than 2097152 records"},
		{"too many records, packed", squeezed(t, empties), "it has more than 2097152 records"},
		{"no profile", []byte("\x00\x01\x02\xff"), "it is neither text nor a profile that can be read"},
		{"no profile, packed", squeezed(t, []byte("\x0a\x04\xff\xff\xff\xff")), "it is neither text nor a profile that can be read"},
		{"heap", packedBytes(t, built([]int64{1, 2}, true, "inuse_objects/count", "inuse_space/bytes")), "it is a profile of inuse_objects, inuse_space: only mutex, block and CPU profiles"},
		{"goroutines", packedBytes(t, built([]int64{1}, true, "goroutine/count")), "it is a profile of goroutine: "},
		{"wall clock", packedBytes(t, built([]int64{1, 2}, true, "samples/count", "time/nanoseconds")), "it is a profile of samples, time: "},
		{"heap as text", []byte("heap profile: 1: 2 [3: 4] @ heap/1048576\n"), "it is a heap profile: only"},
		{"goroutines as text", []byte("goroutine profile: total 3\n1 @ 0x1\n"), "it is a goroutine profile: only"},
		{"trace", []byte("go 1.26 trace\x00\x00\x00"), "it is an execution trace"},
		{"no names", packedBytes(t, built([]int64{1, 2}, false, "contentions/count", "delay/nanoseconds")), "'go tool pprof -proto PROGRAM FILE' adds them"},
		{"less than nothing", packedBytes(t, built([]int64{1, -2}, true, "contentions/count", "delay/nanoseconds")), "it has less than nothing in it"},
		{"less than never", packedBytes(t, built([]int64{-1, 2}, true, "contentions/count", "delay/nanoseconds")), "it has less than nothing in it"},
		{"more than all time", packedBytes(t, built([]int64{1, math.MaxInt64}, true, "contentions/count", "delay/seconds")), "it has more time in it than there is"},
		{"unknown unit", packedBytes(t, built([]int64{1, 2}, true, "contentions/count", "delay/cycles")), `it measures time in "cycles", which is not known`},
		{"text without names", []byte("--- mutex:\ncycles/second=1\nsampling period=1\n1 1 @ 0x1\n"), "its stacks have no names of functions"},
		{"text without cycles", []byte("--- mutex:\nsampling period=1\n1 1 @ 0x1\n"), "line 3: the sample cannot be read"},
		{"text with none a second", []byte("--- mutex:\ncycles/second=0\n"), "line 2: how many cycles are a second cannot be read"},
		{"text with less than nothing", []byte(strings.Replace(text, "4000000000 12", "-1 12", 1)), "line 4: the sample cannot be read"},
		{"text with too much", []byte(strings.Replace(text, "second=2000000000", "second=1", 1)), ""},
		{"text with more than all time", []byte(strings.NewReplacer("second=2000000000", "second=1", "4000000000 12", "9000000000000000000 12").Replace(text)), "line 4: it has more time in it than there is"},
		{"text with a frame too early", []byte("--- mutex:\ncycles/second=1\n#\t0x1\tmain.main+0x1\t/a.go:1\n"), "line 3: the frame cannot be read"},
		{"text with half a frame", []byte(strings.Replace(text, ":17", "", 1)), "line 6: the frame cannot be read"},
		{"set", []byte("mode: set\na/b.go:1.1,2.2 1 1\n"), `it is coverage of mode "set"`},
		{"no mode", []byte("mode: \n"), "its counts cannot be read"},
		{"broken counts", []byte("mode: count\na/b.go:x\n"), "its counts cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(bytes.NewReader(test.data), "p")
			switch {
			case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q", err, test.want)
			case test.want != "" && !got.IsEmpty():
				t.Errorf("an error with evidence: %+v", got)
			}
		})
	}
}

func TestReadCoverage(t *testing.T) {
	got, err := Read(strings.NewReader("mode: atomic\nexample.com/a/b.go:3.10,5.2 2 7\nexample.com/a/b.go:3.10,5.2 2 5\nexample.com/a/b.go:7.1,9.2 1 0\n"), "c")
	if err != nil {
		t.Fatal(err)
	}
	want := Evidence{Coverage: []Coverage{{"c", []CoveredFile{{"example.com/a", "b.go", []Block{{3, 10, 5, 2, 12}, {7, 1, 9, 2, 0}}}}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b := want.Coverage[0].Files[0].Blocks[0]
	for at, in := range map[[2]int]bool{{3, 9}: false, {3, 10}: true, {4, 1}: true, {5, 1}: true, {5, 2}: false, {2, 99}: false, {6, 1}: false} {
		if b.Has(at[0], at[1]) != in {
			t.Errorf("%v is in the block: %v", at, !in)
		}
	}
}

// TestLogs checks that a log is one whatever it begins with, packed or not.
func TestLogs(t *testing.T) {
	for name, data := range map[string][]byte{"plain": []byte(race), "packed": squeezed(t, []byte(race)), "after odd bytes": append([]byte("\x07ding\n"), race...), "coloured": append([]byte("\x1b[1mbegin\x1b[0m\n"), race...)} {
		got, err := Read(bytes.NewReader(data), "log")
		if err != nil || len(got.Reports) != 1 || len(got.Profiles) > 0 {
			t.Errorf("%s: %d reports, %v", name, len(got.Reports), err)
		}
	}
}

// TestLock checks what samples of several versions of Go are about.
func TestLock(t *testing.T) {
	put := "example.com/app.(*Store).Put"
	for _, test := range []struct {
		stack  string // innermost first
		about  Wait
		called string
		caller string
	}{
		{"sync.(*Mutex).Unlock " + put, AtLock, "Unlock", "(*Store).Put"},
		{"internal/sync.(*Mutex).Unlock sync.(*Mutex).Unlock " + put, AtLock, "Unlock", "(*Store).Put"},
		{"internal/sync.(*Mutex).lockSlow internal/sync.(*Mutex).Lock sync.(*Mutex).Lock " + put, AtLock, "Lock", "(*Store).Put"},
		{"sync.(*Mutex).Lock sync.(*RWMutex).Lock " + put, AtLock, "Lock", "(*Store).Put"},
		{"sync.(*RWMutex).rUnlockSlow sync.(*RWMutex).RUnlock " + put, AtLock, "RUnlock", "(*Store).Put"},
		{"sync.(*RWMutex).RLock sync.(*rlocker).Lock " + put, AtLock, "Lock", "(*Store).Put"},
		{"runtime.semacquire1 internal/sync.runtime_SemacquireMutex internal/sync.(*Mutex).lockSlow sync.(*Mutex).Lock " + put, AtLock, "Lock", "(*Store).Put"},
		{"runtime.unlock runtime.semrelease1 internal/sync.(*Mutex).unlockSlow sync.(*Mutex).Unlock " + put, InRuntime, "unlock", "(*Mutex).unlockSlow"},
		{"runtime._LostContendedRuntimeLock", InRuntime, "_LostContendedRuntimeLock", ""},
		{"runtime.unlock2 runtime.mallocgc " + put, InRuntime, "unlock2", "(*Store).Put"},
		{"sync.(*Mutex).Unlock sync.(*Once).doSlow sync.(*Once).Do " + put, InSync, "Do", "(*Once).Do"},
		{"sync.(*Mutex).Lock sync.(*Cond).Wait " + put, InSync, "Wait", "(*Cond).Wait"},
		{"sync.(*WaitGroup).Wait " + put, Elsewhere, "", "(*WaitGroup).Wait"},
		{"runtime.chanrecv1 " + put, Elsewhere, "", "(*Store).Put"},
		{"runtime.selectgo " + put, Elsewhere, "", "(*Store).Put"},
		{"", Elsewhere, "", ""},
		{"sync.(*Mutex).Unlock", AtLock, "Unlock", ""},
	} {
		var s Sample
		for name := range strings.FieldsSeq(test.stack) {
			s.Stack = append(s.Stack, frame(name, "a.go", 1))
		}
		about, called, callers := s.Lock()
		method, caller := "", ""
		if called != (Frame{}) {
			method = called.Method()
		}
		if len(callers) > 0 {
			caller = callers[0].Func
		}
		if got, want := fmt.Sprint(about, method, caller), fmt.Sprint(test.about, test.called, test.caller); got != want {
			t.Errorf("%s: %s, want %s", test.stack, got, want)
		}
	}
}

// FuzzRead checks that nothing makes Read panic, or take more than it says.
func FuzzRead(f *testing.F) {
	for _, s := range []string{text, race, "mode: count\na/b.go:1.1,2.2 1 1\n", "--- mutex:\n", "\x0a\x04\x08\x01\x10\x02"} {
		f.Add([]byte(s))
	}
	var b bytes.Buffer
	if err := built([]int64{12, 2e9}, true, "contentions/count", "delay/nanoseconds").WriteUncompressed(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(bytes.NewReader(data), "p")
		if err == nil && got.IsEmpty() {
			t.Error("neither an error nor evidence")
		}
		for _, p := range got.Profiles {
			for _, s := range p.Samples {
				if s.Count < 0 || s.Nanos < 0 {
					t.Error("less than nothing")
				}
				s.Lock()
			}
		}
	})
}
