package model

import "strings"

// This file knows what library functions do with the functions they are given.

// Start is how a function runs code concurrently with its caller. The zero Start is not at all.
type Start string

const (
	Go      Start = "go"      // a goroutine of its own
	Timer   Start = "timer"   // after a while, in a goroutine of its own
	Handler Start = "handler" // by a server, from many goroutines at a time
)

// Many reports whether one start may run the function from several goroutines at a time.
func (s Start) Many() bool { return s == Handler }

// starts are the functions that run an argument concurrently: which argument, receiver included,
// and how.
var starts = map[string]struct {
	arg int
	how Start
}{
	"sync.WaitGroup.Go":                      {1, Go},
	"golang.org/x/sync/errgroup.Group.Go":    {1, Go},
	"golang.org/x/sync/errgroup.Group.TryGo": {1, Go},
	"time.AfterFunc":                         {1, Timer},
	"context.AfterFunc":                      {1, Timer},
	"net/http.HandleFunc":                    {1, Handler},
	"net/http.ServeMux.HandleFunc":           {2, Handler},
	"net/http.Handle":                        {1, Handler},
	"net/http.ServeMux.Handle":               {2, Handler},
	"net/http.ListenAndServe":                {1, Handler},
	"net/http.Serve":                         {1, Handler},
	"net/http.HandlerFunc":                   {0, Handler},
	"testing.B.RunParallel":                  {1, Handler},
	"runtime.SetFinalizer":                   {1, Timer},
	"net/http/httptest.NewServer":            {0, Handler},
	"net/http/httptest.NewUnstartedServer":   {0, Handler},
	"net/http.TimeoutHandler":                {0, Handler},
	"net/http.StripPrefix":                   {1, Handler},
	"net/http.MaxBytesHandler":               {0, Handler},
	"expvar.Func":                            {0, Handler},
}

// Starts returns which argument of the function key runs concurrently, and how.
func Starts(key string) (arg int, how Start) {
	s, ok := starts[key]
	if !ok {
		return -1, ""
	}
	return s.arg, s.how
}

// Concurrent are the methods that some library calls from many goroutines at a time once a value of
// the type is handed to it as the interface: interface name to method names.
var concurrent = map[string][]string{
	"net/http.Handler":      {"ServeHTTP"},
	"net/http.RoundTripper": {"RoundTrip"},
	"net/http.CookieJar":    {"SetCookies", "Cookies"},
	"log/slog.Handler":      {"Enabled", "Handle", "WithAttrs", "WithGroup"},
	"expvar.Var":            {"String"},
}

// Concurrent returns the methods of the interface named iface ("path.Name") that are called from
// many goroutines at a time.
func Concurrent(iface string) []string { return concurrent[iface] }

// HandlerParam is the type of parameter that makes a function a handler of requests, whichever
// router it is given to.
const HandlerParam = "net/http.ResponseWriter"

// Done is the function that ends a goroutine's part in a wait group.
const Done = "sync.WaitGroup.Done"

// serves are the functions after whose call registered handlers may run.
var serves = set(`
	net/http.ListenAndServe net/http.ListenAndServeTLS net/http.Serve net/http.ServeTLS
	net/http.Server.ListenAndServe net/http.Server.ListenAndServeTLS net/http.Server.Serve net/http.Server.ServeTLS
	net/http/httptest.NewServer net/http/httptest.NewTLSServer net/http/httptest.Server.Start net/http/httptest.Server.StartTLS`)

// Serves reports whether handlers that were registered before may run after a call of key.
func Serves(key string) bool { return serves[key] }

// joins are the functions that return only after the goroutines started with their receiver ended.
var joins = set(`sync.WaitGroup.Wait golang.org/x/sync/errgroup.Group.Wait`)

// Joins reports whether key waits for the goroutines started with its receiver.
func Joins(key string) bool { return joins[key] }

// synchronous are the functions that call their function arguments before they return, and not after.
var synchronous = set(`
	sort.Slice sort.SliceStable sort.SliceIsSorted sort.Search sort.Find
	strings.Map strings.IndexFunc strings.LastIndexFunc strings.FieldsFunc strings.TrimFunc strings.TrimLeftFunc strings.TrimRightFunc strings.ContainsFunc
	bytes.Map bytes.IndexFunc bytes.LastIndexFunc bytes.FieldsFunc bytes.TrimFunc bytes.TrimLeftFunc bytes.TrimRightFunc bytes.ContainsFunc
	sync.Once.Do sync.Map.Range path/filepath.Walk path/filepath.WalkDir io/fs.WalkDir
	regexp.Regexp.ReplaceAllStringFunc regexp.Regexp.ReplaceAllFunc go/ast.Inspect container/ring.Ring.Do flag.VisitAll flag.Visit flag.FlagSet.VisitAll flag.FlagSet.Visit
	testing.T.Run testing.B.Run testing.B.Loop testing.AllocsPerRun testing.Benchmark expvar.Do
	text/template.Template.Funcs os.Expand unique.Make iter.Pull
	golang.org/x/sync/singleflight.Group.Do sync.Pool.Get runtime/pprof.Do log/slog.Record.Attrs`)

// syncPackages are the packages all of whose functions call their function arguments before they return.
var syncPackages = set(`slices maps sort cmp iter golang.org/x/exp/slices golang.org/x/exp/maps`)

// Synchronous reports whether key calls the functions it is given before it returns, and not after.
func Synchronous(key string) bool { return synchronous[key] || syncPackages[Package(key)] }

// Knows reports whether the model, and not the body, says what key does.
func Knows(key string) bool {
	_, starts := starts[key]
	return starts || serves[key] || opaque[Package(key)]
}

var opaque = set(`sync internal/sync sync/atomic maps slices iter`)

// Package returns the import path in key.
func Package(key string) string {
	slash := strings.LastIndexByte(key, '/')
	if dot := strings.IndexByte(key[slash+1:], '.'); dot >= 0 {
		return key[:slash+1+dot]
	}
	return key
}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
