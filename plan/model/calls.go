package model

import (
	"strings"

	"mapmend/plan/access"
)

// This file knows what library functions do with the functions they are given.

// CondWait is the function that gives a lock back while it waits.
const CondWait = "sync.Cond.Wait"

// Add is the function that a wait group is told by that there will be another goroutine.
const Add = "sync.WaitGroup.Add"

// Done is the function that ends a goroutine's part in a wait group.
const Done = "sync.WaitGroup.Done"

// serves are the functions after whose call registered handlers may run.
var serves = set(`
	net/http.ListenAndServe net/http.ListenAndServeTLS net/http.Serve net/http.ServeTLS
	net/http.Server.ListenAndServe net/http.Server.ListenAndServeTLS net/http.Server.Serve net/http.Server.ServeTLS
	net/http/httptest.NewServer net/http/httptest.NewTLSServer net/http/httptest.Server.Start net/http/httptest.Server.StartTLS
	net/rpc.Accept net/rpc.Server.Accept google.golang.org/grpc.Server.Serve github.com/gin-gonic/gin.Engine.Run github.com/gin-gonic/gin.Engine.RunTLS
	github.com/labstack/echo.Echo.Start github.com/labstack/echo/v4.Echo.Start github.com/gofiber/fiber/v2.App.Listen
	github.com/miekg/dns.ListenAndServe github.com/miekg/dns.Server.ListenAndServe github.com/miekg/dns.Server.ActivateAndServe
	github.com/gliderlabs/ssh.ListenAndServe github.com/gliderlabs/ssh.Server.ListenAndServe github.com/gliderlabs/ssh.Server.Serve
	github.com/hashicorp/terraform-plugin-sdk/v2/plugin.Serve github.com/robfig/cron.Cron.Start github.com/robfig/cron/v3.Cron.Start
	k8s.io/client-go/informers.SharedInformerFactory.Start k8s.io/client-go/tools/cache.SharedInformer.Run sigs.k8s.io/controller-runtime/pkg/manager.Manager.Start`)

// joins are the functions that return only after the goroutines started with their receiver ended.
var joins = set(`sync.WaitGroup.Wait golang.org/x/sync/errgroup.Group.Wait`)

// Joins reports whether key waits for the goroutines started with its receiver.
func Joins(key string) bool { return joins[key] }

// stops are the functions that return only after the handlers which their receiver, a server, runs have ended, and that
// let no other begin. What gives up waiting when a context is done is one too.
var stops = set(`net/http/httptest.Server.Close net/http.Server.Shutdown google.golang.org/grpc.Server.GracefulStop`)

// Stops reports whether key waits for the handlers of its receiver.
func Stops(key string) bool { return stops[key] }

// synchronous are the functions that call their function arguments before they return, and not after.
var synchronous = set(`
	sort.Slice sort.SliceStable sort.SliceIsSorted sort.Search sort.Find
	strings.Map strings.IndexFunc strings.LastIndexFunc strings.FieldsFunc strings.TrimFunc strings.TrimLeftFunc strings.TrimRightFunc strings.ContainsFunc
	bytes.Map bytes.IndexFunc bytes.LastIndexFunc bytes.FieldsFunc bytes.TrimFunc bytes.TrimLeftFunc bytes.TrimRightFunc bytes.ContainsFunc
	sync.Once.Do sync.Map.Range path/filepath.Walk path/filepath.WalkDir io/fs.WalkDir
	regexp.Regexp.ReplaceAllStringFunc regexp.Regexp.ReplaceAllFunc go/ast.Inspect container/ring.Ring.Do flag.VisitAll flag.Visit flag.FlagSet.VisitAll flag.FlagSet.Visit
	testing.T.Run testing.B.Run testing.B.Loop testing.AllocsPerRun testing.Benchmark expvar.Do
	text/template.Template.Funcs os.Expand unique.Make iter.Pull
	k8s.io/apimachinery/pkg/util/wait.Until k8s.io/apimachinery/pkg/util/wait.UntilWithContext k8s.io/apimachinery/pkg/util/wait.PollImmediate
	golang.org/x/sync/singleflight.Group.Do sync.Pool.Get runtime/pprof.Do log/slog.Record.Attrs`)

// syncPackages are the packages all of whose functions call their function arguments before they return.
var syncPackages = set(`slices maps sort cmp iter golang.org/x/exp/slices golang.org/x/exp/maps`)

// Knows reports whether the model, and not the body, says what key does.
func Knows(key string) bool {
	_, starts := starts[key]
	return starts || serves[key] || opaque[access.PackageOf(key)] || opaque[key]
}

// opaque are the packages and functions whose bodies show how they do what the model says, and not what.
var opaque = set(`sync internal/sync sync/atomic maps slices iter testing.T.Run testing.B.Run`)

// NeverNil reports whether the result of key is never nil.
func NeverNil(key string) bool { return neverNil[key] }

var neverNil = set(`errors.New fmt.Errorf`)

// ContextDone reports whether the result of key is the channel that is closed when a context is done.
func ContextDone(key string) bool { return key == "context.Context.Done" }

// ContextErr reports whether the result of key is the error of a context, not nil once it is done.
func ContextErr(key string) bool { return key == "context.Context.Err" || key == "context.Cause" }

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
