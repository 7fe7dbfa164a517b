package evidence

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oldCrash is how go 1.18 to 1.23 write it, race as the race detector does, swissCrash as go 1.24 does and later.
const (
	oldCrash = `fatal error: concurrent map read and map write

goroutine 34 [running]:
runtime.throw({0x4a1b2c, 0x21})
	/usr/local/go/src/runtime/panic.go:992 +0x71
runtime.mapaccess1_faststr(0x0, 0x0, {0x49c7f0, 0x1})
	/usr/local/go/src/runtime/map_faststr.go:22 +0x3a5 fp=0xc00003e7b0 sp=0xc00003e718 pc=0x42f111
example.com/app/session.(*Store).Get(...)
	/home/me/app/session/store.go:31
main.serve({0x0, 0x0})
	/home/me/app/main.go:12 +0x5c
created by main.main
	/home/me/app/main.go:8 +0x46
`
	swissCrash = `fatal error: concurrent map writes

goroutine 21 [running]:
internal/runtime/maps.fatal({0x4ad1c1?, 0x0?})
	runtime/panic.go:1181 +0x18
internal/runtime/maps.(*Map).PutSlot(0x0, 0x1)
	internal/runtime/maps/map.go:600 +0x18
example.com/app/session.(*Cache[...]).Put(...)
	example.com/app/session/cache.go:22
sync.(*WaitGroup).Go.func1()
	sync/waitgroup.go:258 +0x4a
created by sync.(*WaitGroup).Go in goroutine 1
	sync/waitgroup.go:238 +0x73

goroutine 1 [sync.WaitGroup.Wait]:
sync.runtime_SemacquireWaitGroup(0x481a93?, 0x20?)
	runtime/sema.go:114 +0x2e
main.main()
	example.com/app/main.go:29 +0x105

goroutine 22 [runnable]:
runtime.mapassign_fast64(0x1, 0x2)
	runtime/map_fast64.go:9 +0x1
example.com/app/session.(*Cache[...]).Put(...)
	example.com/app/session/cache.go:22
`
	race = `==================
WARNING: DATA RACE
Write at 0x00c00012e0f0 by goroutine 8:
  runtime.mapassign_faststr()
      /usr/local/go/src/internal/runtime/maps/runtime_faststr.go:263 +0x0
  example.com/app/session.(*Store).Put()
      /home/me/app/session/store.go:13 +0x64
  main.main.func1()
      /home/me/app/main.go:9 +0x4b

Previous read at 0x00c00012e0f0 by goroutine 7:
  example.com/app/session.(*Store).Get()
      /home/me/app/session/store.go:17 +0x64
  main.main.func2()
      /home/me/app/main.go:10 +0x4b

Goroutine 8 (running) created at:
  main.main()
      /home/me/app/main.go:9 +0x1e4

Goroutine 7 (finished) created at:
  main.main()
      /home/me/app/main.go:10 +0x1f2
==================
`
)

// short returns an access in one line: what is known of it, then its stack and where its goroutine was created.
func short(a Access) string {
	var b strings.Builder
	switch {
	case a.Known && a.Write:
		b.WriteString("write")
	case a.Known:
		b.WriteString("read")
	default:
		b.WriteString("?")
	}
	if a.OnMap {
		b.WriteString(" map")
	}
	for _, f := range a.Stack {
		b.WriteString("; " + f.String())
	}
	for _, f := range a.Created {
		b.WriteString(" < " + f.String())
	}
	return b.String()
}

func TestReadReports(t *testing.T) {
	oldAccess := "read map; session.(*Store).Get at store.go:31; main.serve at main.go:12 < main.main at main.go:8"
	swissAccesses := []string{
		"write map; session.(*Cache).Put at cache.go:22; sync.(*WaitGroup).Go.func1 at waitgroup.go:258 < sync.(*WaitGroup).Go at waitgroup.go:238",
		"write map; session.(*Cache).Put at cache.go:22",
	}
	raceAccesses := []string{
		"write map; session.(*Store).Put at store.go:13; main.main.func1 at main.go:9 < main.main at main.go:9",
		"read; session.(*Store).Get at store.go:17; main.main.func2 at main.go:10 < main.main at main.go:10",
	}
	prefixed := func(prefix, text string) string {
		return prefix + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+prefix) + "\n"
	}
	clock := func(text string) string {
		var b strings.Builder
		for i, line := range strings.SplitAfter(text, "\n") {
			b.WriteString("2026-01-02T03:04:" + string(rune('0'+i/10%6)) + string(rune('0'+i%10)) + "Z stderr F " + line)
		}
		return b.String()
	}
	type report struct {
		head     string
		accesses []string
	}
	for _, test := range []struct {
		name, text string
		want       []report
	}{
		{"old", oldCrash, []report{{"log:1: concurrent map read and map write", []string{oldAccess}}}},
		{"swiss", swissCrash, []report{{"log:1: concurrent map writes", swissAccesses}}},
		{"race", race, []report{{"log:2: a data race", raceAccesses}}},
		{"amid a log", "starting\n" + race + "=== RUN TestX\nnext\r\n" + race + oldCrash + "exit status 2\n", []report{
			{"log:3: a data race", raceAccesses}, {"log:29: a data race", raceAccesses}, {"log:52: concurrent map read and map write", []string{oldAccess}},
		}},
		{"container", prefixed("app-1  | ", race), []report{{"log:2: a data race", raceAccesses}}},
		{"times", clock(oldCrash), []report{{"log:1: concurrent map read and map write", []string{oldAccess}}}},
		{"windows", strings.ReplaceAll(oldCrash, "\n", "\r\n"), []report{{"log:1: concurrent map read and map write", []string{oldAccess}}}},
		{"cut off", race[:strings.Index(race, "Goroutine 8")], []report{{"log:2: a data race", []string{strings.Split(raceAccesses[0], " < ")[0], strings.Split(raceAccesses[1], " < ")[0]}}}},
		{"another error", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/x/main.go:3 +0x1\n", nil},
		{"no stack", "fatal error: concurrent map writes\n", []report{{"log:1: concurrent map writes", nil}}},
		{"empty", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			reports, err := ReadReports(strings.NewReader(test.text), "log")
			if err != nil {
				t.Fatal(err)
			}
			var got []report
			for _, r := range reports {
				var list []string
				for _, a := range r.Accesses {
					list = append(list, short(a))
				}
				got = append(got, report{r.String(), list})
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(report{})); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}
