package model

// This file knows who runs functions and methods that are given away: servers, schedulers, loggers.

// Start is how a function runs code concurrently with its caller. The zero Start is not at all.
type Start string

const (
	Go      Start = "go"      // a goroutine of its own
	Timer   Start = "timer"   // after a while, in a goroutine of its own
	Handler Start = "handler" // by a server, from many goroutines at a time
	Event   Start = "event"   // by a library, again and again, but never twice at a time
)

// Runs reports whether the program starts a goroutine of its own.
func (s Start) Runs() bool { return s == Go || s == Timer }

// Served reports whether a library runs the function from when it serves on, and not at once.
func (s Start) Served() bool { return s == Handler || s == Event }

// Runs is who runs a function that is given away, and how. The zero Runs is nobody.
type Runs struct {
	How Start
	By  string // "an HTTP server"; empty where the program itself is said to start it
}

// IsZero reports whether nobody runs the function.
func (r Runs) IsZero() bool { return r == Runs{} }

// Many reports whether one start may run the function from several goroutines at a time.
func (r Runs) Many() bool { return r.How == Handler }

// String says who runs it: "an HTTP server calls it from many goroutines".
func (r Runs) String() string {
	by := r.By
	if by == "" {
		by = "a server"
	}
	if r.Many() {
		return by + " calls it from many goroutines"
	}
	return by + " calls it from a goroutine of its own"
}

// CalledAtOnce reports whether a call of the library may call the function before it returns. What a server calls
// it calls from goroutines of its own.
func (r Runs) CalledAtOnce() bool {
	switch r.By {
	case logger, telemetry, variables, registry, database, tlsConn, oauth, httpClient, grpcClient:
		return true
	}
	return r.IsZero()
}

func many(by string) Runs  { return Runs{Handler, by} }
func event(by string) Runs { return Runs{Event, by} }

// Those who call many things.
const (
	httpServer  = "an HTTP server"
	httpClient  = "an HTTP client"
	grpcServer  = "a gRPC server"
	dnsServer   = "a DNS server"
	logger      = "a logger"
	variables   = "expvar"
	database    = "package database/sql"
	tlsConn     = "TLS"
	oauth       = "an OAuth client"
	registry    = "a metrics registry"
	grpcClient  = "a gRPC client"
	telemetry   = "an OpenTelemetry provider"
	collector   = "an OpenTelemetry collector"
	terraform   = "a Terraform plugin server"
	scheduler   = "a cron scheduler"
	informer    = "an informer"
	webhook     = "an admission webhook server"
	pool        = "a pool of goroutines"
	kafkaReader = "a Kafka consumer group"
)

// starts are the functions that run an argument concurrently: which argument, receiver included, who
// runs it, and how.
var starts = map[string]Argument{
	"sync.WaitGroup.Go":                      {1, Runs{How: Go}},
	"golang.org/x/sync/errgroup.Group.Go":    {1, Runs{How: Go}},
	"golang.org/x/sync/errgroup.Group.TryGo": {1, Runs{How: Go}},
	"time.AfterFunc":                         {1, Runs{How: Timer}},
	"context.AfterFunc":                      {1, Runs{How: Timer}},
	"runtime.SetFinalizer":                   {1, Runs{How: Timer}},
	"testing.B.RunParallel":                  {1, many("a parallel benchmark")},

	"net/http.HandleFunc":                  {1, many(httpServer)},
	"net/http.ServeMux.HandleFunc":         {2, many(httpServer)},
	"net/http.Handle":                      {1, many(httpServer)},
	"net/http.ServeMux.Handle":             {2, many(httpServer)},
	"net/http.ListenAndServe":              {1, many(httpServer)},
	"net/http.Serve":                       {1, many(httpServer)},
	"net/http/httptest.NewServer":          {0, many(httpServer)},
	"net/http/httptest.NewUnstartedServer": {0, many(httpServer)},
	"net/http.TimeoutHandler":              {0, many(httpServer)},
	"net/http.StripPrefix":                 {1, many(httpServer)},
	"net/http.MaxBytesHandler":             {0, many(httpServer)},
	"expvar.Func":                          {0, many(variables)},

	"github.com/gliderlabs/ssh.Handle":                {0, many("an SSH server")},
	"github.com/gliderlabs/ssh.Server.Handle":         {1, many("an SSH server")},
	"github.com/oklog/run.Group.Add":                  {1, Runs{How: Go}},
	"github.com/panjf2000/ants/v2.Pool.Submit":        {1, many(pool)},
	"github.com/panjf2000/ants/v2.Submit":             {0, many(pool)},
	"github.com/robfig/cron.Cron.AddFunc":             {2, many(scheduler)},
	"github.com/robfig/cron/v3.Cron.AddFunc":          {2, many(scheduler)},
	"github.com/sourcegraph/conc.WaitGroup.Go":        {1, Runs{How: Go}},
	"github.com/sourcegraph/conc/pool.Pool.Go":        {1, Runs{How: Go}},
	"github.com/sourcegraph/conc/pool.ErrorPool.Go":   {1, Runs{How: Go}},
	"github.com/sourcegraph/conc/pool.ContextPool.Go": {1, Runs{How: Go}},
}

// Argument is an argument that a function runs concurrently.
type Argument struct {
	Arg int // its number, the receiver included
	Runs
}

// funcTypes are the function types whose values a library runs, wherever they are put.
var funcTypes = map[string]Runs{
	"github.com/eclipse/paho%2emqtt%2egolang.MessageHandler":           event("an MQTT client"), // in order, unless asked for otherwise
	"github.com/nats-io/nats%2ego.MsgHandler":                          event("a NATS subscription"),
	"github.com/robfig/cron.FuncJob":                                   many(scheduler),
	"github.com/robfig/cron/v3.FuncJob":                                many(scheduler),
	"go.opentelemetry.io/collector/consumer.ConsumeLogsFunc":           many(collector),
	"go.opentelemetry.io/collector/consumer.ConsumeMetricsFunc":        many(collector),
	"go.opentelemetry.io/collector/consumer.ConsumeTracesFunc":         many(collector),
	"net/http.HandlerFunc":                                             many(httpServer),
	"golang.org/x/net/websocket.Handler":                               many("a websocket server"),
	"google.golang.org/grpc.StreamServerInterceptor":                   many(grpcServer),
	"google.golang.org/grpc.UnaryServerInterceptor":                    many(grpcServer),
	"sigs.k8s.io/controller-runtime/pkg/reconcile.Func":                event("a controller"),
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission.HandlerFunc": many(webhook),
}

// funcFields are the struct fields of unnamed function types that a library runs.
var funcFields = map[string]Runs{
	"k8s.io/client-go/tools/cache.ResourceEventHandlerFuncs.AddFunc":            event(informer),
	"k8s.io/client-go/tools/cache.ResourceEventHandlerFuncs.UpdateFunc":         event(informer),
	"k8s.io/client-go/tools/cache.ResourceEventHandlerFuncs.DeleteFunc":         event(informer),
	"k8s.io/client-go/tools/cache.ResourceEventHandlerDetailedFuncs.AddFunc":    event(informer),
	"k8s.io/client-go/tools/cache.ResourceEventHandlerDetailedFuncs.UpdateFunc": event(informer),
	"k8s.io/client-go/tools/cache.ResourceEventHandlerDetailedFuncs.DeleteFunc": event(informer),
	"net/http.Server.ConnState":                     many(httpServer),
	"net/http/httputil.ReverseProxy.Director":       many(httpServer),
	"net/http/httputil.ReverseProxy.ModifyResponse": many(httpServer),
	"net/http/httputil.ReverseProxy.Rewrite":        many(httpServer),
	"crypto/tls.Config.GetCertificate":              many("a TLS server"),
	"crypto/tls.Config.GetConfigForClient":          many("a TLS server"),
}

// Interface is which methods of an interface a library calls, who does, and how.
type Interface struct {
	Runs
	Methods []string
}

// concurrent are the interfaces whose methods some library calls from other goroutines once a value of
// the type is handed to it.
var concurrent = map[string]Interface{
	"crypto/tls.ClientSessionCache":   {many(tlsConn), []string{"Get", "Put"}},
	"database/sql/driver.Connector":   {many(database), []string{"Connect"}},
	"database/sql/driver.Driver":      {many(database), []string{"Open"}},
	"expvar.Var":                      {many(variables), []string{"String"}},
	"golang.org/x/oauth2.TokenSource": {many(oauth), []string{"Token"}},
	"log/slog.Handler":                {many(logger), []string{"Enabled", "Handle", "WithAttrs", "WithGroup"}},
	"net/http.CookieJar":              {many(httpClient), []string{"SetCookies", "Cookies"}},
	"net/http.FileSystem":             {many(httpServer), []string{"Open"}},
	"net/http.Handler":                {many(httpServer), []string{"ServeHTTP"}},
	"net/http.RoundTripper":           {many(httpClient), []string{"RoundTrip"}},

	"github.com/IBM/sarama.ConsumerGroupHandler":               {many(kafkaReader), []string{"ConsumeClaim"}},
	"github.com/Shopify/sarama.ConsumerGroupHandler":           {many(kafkaReader), []string{"ConsumeClaim"}},
	"github.com/coredns/coredns/plugin.Handler":                {many(dnsServer), []string{"ServeDNS"}},
	"github.com/hashicorp/memberlist.Delegate":                 {many("a memberlist"), []string{"NodeMeta", "NotifyMsg", "GetBroadcasts", "LocalState", "MergeRemoteState"}},
	"github.com/hashicorp/memberlist.EventDelegate":            {event("a memberlist"), []string{"NotifyJoin", "NotifyLeave", "NotifyUpdate"}},
	"github.com/hashicorp/raft.FSM":                            {event("a Raft node"), []string{"Apply", "Snapshot", "Restore"}},
	"github.com/miekg/dns.Handler":                             {many(dnsServer), []string{"ServeDNS"}},
	"github.com/prometheus/client_golang/prometheus.Collector": {many(registry), []string{"Describe", "Collect"}},
	"github.com/robfig/cron.Job":                               {many(scheduler), []string{"Run"}},
	"github.com/robfig/cron/v3.Job":                            {many(scheduler), []string{"Run"}},
	"github.com/rs/zerolog.Hook":                               {many(logger), []string{"Run"}},
	"github.com/sirupsen/logrus.Hook":                          {many(logger), []string{"Levels", "Fire"}},
	"go.uber.org/zap/zapcore.Core":                             {many(logger), []string{"Enabled", "With", "Check", "Write", "Sync"}},

	"go.opentelemetry.io/collector/consumer.Logs":      {many(collector), []string{"ConsumeLogs"}},
	"go.opentelemetry.io/collector/consumer.Metrics":   {many(collector), []string{"ConsumeMetrics"}},
	"go.opentelemetry.io/collector/consumer.Traces":    {many(collector), []string{"ConsumeTraces"}},
	"go.opentelemetry.io/otel/sdk/log.Exporter":        {many(telemetry), []string{"Export", "ForceFlush", "Shutdown"}},
	"go.opentelemetry.io/otel/sdk/log.Processor":       {many(telemetry), []string{"OnEmit", "ForceFlush", "Shutdown"}},
	"go.opentelemetry.io/otel/sdk/metric.Exporter":     {event(telemetry), []string{"Export"}}, // never twice at a time, as its documentation says
	"go.opentelemetry.io/otel/sdk/metric.Producer":     {many(telemetry), []string{"Produce"}},
	"go.opentelemetry.io/otel/sdk/trace.IDGenerator":   {many(telemetry), []string{"NewIDs", "NewSpanID"}},
	"go.opentelemetry.io/otel/sdk/trace.Sampler":       {many(telemetry), []string{"ShouldSample"}},
	"go.opentelemetry.io/otel/sdk/trace.SpanExporter":  {event(telemetry), []string{"ExportSpans"}}, // so is this
	"go.opentelemetry.io/otel/sdk/trace.SpanProcessor": {many(telemetry), []string{"OnStart", "OnEnd", "ForceFlush", "Shutdown"}},

	"google.golang.org/grpc/balancer.Picker":               {many(grpcClient), []string{"Pick"}},
	"google.golang.org/grpc/credentials.PerRPCCredentials": {many(grpcClient), []string{"GetRequestMetadata"}},
	"google.golang.org/grpc/stats.Handler":                 {many("gRPC"), []string{"TagRPC", "HandleRPC", "TagConn", "HandleConn"}},

	"k8s.io/client-go/tools/cache.ResourceEventHandler":                    {event(informer), []string{"OnAdd", "OnUpdate", "OnDelete"}},
	"sigs.k8s.io/controller-runtime/pkg/reconcile.Reconciler":              {event("a controller"), []string{"Reconcile"}}, // one at a time, unless asked for more
	"sigs.k8s.io/controller-runtime/pkg/reconcile.TypedReconciler":         {event("a controller"), []string{"Reconcile"}},
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission.CustomDefaulter": {many(webhook), []string{"Default"}},
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission.CustomValidator": {many(webhook), []string{"ValidateCreate", "ValidateUpdate", "ValidateDelete"}},
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission.Handler":         {many(webhook), []string{"Handle"}},

	// Not here: the resources of terraform-plugin-framework and what go-plugin makes, of which each request gets its own.
}

// Registrar is the shape of the functions that generated code has to register a service, such as
// RegisterGreeterServer(s grpc.ServiceRegistrar, srv GreeterServer). All methods of the interface are called.
type Registrar struct {
	Prefix, Suffix string   // of the function's name; the name of the interface stands behind Prefix and ends in Suffix
	Registry       []string // what the type of the first parameter may be
	Runs
}

var registrars = []Registrar{
	{"Register", "Server", []string{"google.golang.org/grpc.ServiceRegistrar", "google.golang.org/grpc.Server"}, many(grpcServer)},
	{"DRPCRegister", "Server", []string{"storj.io/drpc.Mux"}, many("a DRPC server")},
}

// Registrars returns the shapes of functions that register a service.
func Registrars() []Registrar { return registrars }

// receivers are the functions that call any exported method of an argument.
var receivers = map[string]Argument{
	"net/rpc.Register":            {0, many("an RPC server")},
	"net/rpc.RegisterName":        {1, many("an RPC server")},
	"net/rpc.Server.Register":     {1, many("an RPC server")},
	"net/rpc.Server.RegisterName": {2, many("an RPC server")},
}

// Receives returns which argument's exported methods the function key calls, and who does. ok is false
// when it calls none.
func Receives(key string) (a Argument, ok bool) {
	a, ok = receivers[key]
	return a, ok
}

// Request is what a parameter of its type says about a function: it is called for each request.
type Request struct {
	Runs
	Shared bool // a parameter of type any is the same value for all requests
}

// requests are the types of parameters that make a function a handler, whichever router it is given to.
var requests = map[string]Request{
	"net/http.ResponseWriter":                                                 {Runs: many(httpServer)},
	"github.com/gin-gonic/gin.Context":                                        {Runs: many(httpServer)},
	"github.com/gofiber/fiber/v2.Ctx":                                         {Runs: many(httpServer)},
	"github.com/gofiber/fiber/v3.Ctx":                                         {Runs: many(httpServer)},
	"github.com/labstack/echo.Context":                                        {Runs: many(httpServer)},
	"github.com/labstack/echo/v4.Context":                                     {Runs: many(httpServer)},
	"github.com/valyala/fasthttp.RequestCtx":                                  {Runs: many(httpServer)},
	"github.com/gliderlabs/ssh.Session":                                       {Runs: many("an SSH server")},
	"github.com/miekg/dns.ResponseWriter":                                     {Runs: many(dnsServer)},
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema.ResourceData":    {many(terraform), true},
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema.ResourceData": {many(terraform), true},
}

// Requests returns what it says of a function that it has a parameter of the type named ("path.Name"), or a
// pointer to one.
func Requests(name string) Request { return requests[name] }
