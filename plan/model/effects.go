package model

import (
	"strings"

	"mapmend/plan/access"
)

// This file knows which library functions may stand in a section that holds a lock.

// pure are the packages whose functions neither block, nor take locks that outlive the call, nor
// call back, except for functions they are given (see Synchronous), methods String, Error and Less of
// values they are given, and what impure names.
var pure = set(`
	bytes cmp container/heap container/list container/ring encoding/base64 encoding/binary encoding/hex errors
	hash/crc32 hash/fnv hash/maphash html maps math math/big math/bits math/rand math/rand/v2 net/netip net/url path path/filepath regexp
	slices sort strconv strings sync/atomic time unicode unicode/utf16 unicode/utf8 unsafe unique iter crypto/sha1 crypto/sha256 crypto/sha512 crypto/md5`)

var impure = set(`
	time.Sleep time.After time.Tick time.NewTimer time.NewTicker time.Timer.Reset time.Ticker.Reset time.AfterFunc time.LoadLocation
	path/filepath.Walk path/filepath.WalkDir path/filepath.Glob path/filepath.Abs path/filepath.EvalSymlinks
	container/heap.Init container/heap.Push container/heap.Pop container/heap.Fix container/heap.Remove iter.Pull iter.Pull2`)

// alsoPure are functions of packages that are not pure on the whole.
var alsoPure = set(`
	fmt.Sprintf fmt.Sprint fmt.Sprintln fmt.Errorf context.WithValue context.Background context.TODO
	reflect.TypeOf reflect.DeepEqual reflect.Kind.String reflect.Method.IsExported reflect.StructField.IsExported reflect.StructTag.Get reflect.StructTag.Lookup
	time.Timer.Stop time.Ticker.Stop
	net/http.Request.Context net/http.Header.Get net/http.Header.Set net/http.Header.Add net/http.Header.Del net.ParseIP net.JoinHostPort net.SplitHostPort net.IP.String
	sync.Map.Load sync.Map.Store sync.Map.Delete sync.Map.LoadOrStore sync.Map.LoadAndDelete`)

// blocking are the functions that wait for something another goroutine or the outside does.
var blocking = set(`
	time.Sleep sync.WaitGroup.Wait sync.Cond.Wait golang.org/x/sync/errgroup.Group.Wait golang.org/x/sync/singleflight.Group.Do
	golang.org/x/sync/semaphore.Weighted.Acquire`)

// callers are types of pure and closed packages whose methods call what the value was built with, and interfaces of them
// that other libraries implement.
var callers = set(`
	math/rand.Rand math/rand.Zipf math/rand/v2.Rand math/rand/v2.Zipf fmt.Formatter fmt.GoStringer fmt.Scanner fmt.Stringer`)

// sealed are interfaces that only their package implements, with methods that are pure.
var sealed = set(`reflect.Type`)

// Sealed reports whether key is a method of an interface that may be called where a lock is held: that of an interface
// that only its own package implements. (Who embeds one and overrides a method gets what he writes.)
func Sealed(key string) bool { return sealed[owner(key)] }

// Pure reports whether a call of the function key may stand in a section that holds a lock. Of a method of an
// interface it says nothing: anybody may have written the one that is called, unless it is Sealed.
func Pure(key string) bool {
	return alsoPure[key] || pure[access.PackageOf(key)] && !impure[key] && !blocking[key] && !callers[owner(key)]
}

// owner returns the type in the key of a method.
func owner(key string) string { return key[:max(0, strings.LastIndexByte(key, '.'))] }

// quiet are the packages, besides those that are pure, whose functions wait for nothing that another goroutine of
// the program does, unless a method that they call does.
var quiet = set(`
	archive/tar archive/zip bufio compress/bzip2 compress/flate compress/gzip compress/lzw compress/zlib context crypto crypto/aes
	crypto/cipher crypto/ecdsa crypto/ed25519 crypto/hmac crypto/rand crypto/rsa crypto/subtle crypto/x509 embed encoding encoding/csv
	encoding/gob encoding/json encoding/pem encoding/xml expvar flag fmt go/ast go/format go/parser go/token go/types hash hash/adler32
	hash/crc64 html/template io io/fs io/ioutil log log/slog mime mime/multipart os os/user reflect regexp/syntax runtime runtime/debug
	sync syscall testing text/tabwriter text/template
	github.com/go-kit/log github.com/go-kit/log/level github.com/go-logr/logr github.com/golang/glog github.com/google/uuid
	github.com/hashicorp/go-hclog github.com/pkg/errors github.com/rs/zerolog github.com/rs/zerolog/log github.com/sirupsen/logrus
	github.com/stretchr/testify/assert github.com/stretchr/testify/require go.uber.org/zap go.uber.org/zap/zapcore
	go.opentelemetry.io/otel/attribute go.opentelemetry.io/otel/metric google.golang.org/grpc/codes google.golang.org/grpc/status
	k8s.io/klog k8s.io/klog/v2`)

// quietTypes are types of other packages of whose methods the same holds.
var quietTypes = set(`
	net/http.Header net/http.Request net/http.ResponseWriter net/http.Cookie net.IP net.IPNet net.IPMask net.Addr net.TCPAddr net.UDPAddr
	github.com/prometheus/client_golang/prometheus.Counter github.com/prometheus/client_golang/prometheus.CounterVec
	github.com/prometheus/client_golang/prometheus.Gauge github.com/prometheus/client_golang/prometheus.GaugeVec
	github.com/prometheus/client_golang/prometheus.Histogram github.com/prometheus/client_golang/prometheus.HistogramVec
	github.com/prometheus/client_golang/prometheus.Observer github.com/prometheus/client_golang/prometheus.Summary
	github.com/prometheus/client_golang/prometheus.SummaryVec`)

// quietFunctions are functions of other packages of which it holds.
var quietFunctions = set(`
	net.ParseIP net.ParseCIDR net.JoinHostPort net.SplitHostPort
	net/http.Error net/http.NotFound net/http.Redirect net/http.SetCookie net/http.StatusText net/http.NewRequest net/http.NewRequestWithContext
	net/http.NewServeMux`)

// loud are functions of quiet packages that do wait.
var loud = set(`
	io.PipeReader.Read io.PipeReader.Close io.PipeReader.CloseWithError io.PipeWriter.Write io.PipeWriter.Close io.PipeWriter.CloseWithError
	os.Process.Wait testing.T.Run testing.T.Parallel testing.B.RunParallel testing.B.Run`)

// Quiet reports whether key waits for nothing that another goroutine of the program does, unless a method that it
// calls of what it is given does.
func Quiet(key string) bool {
	if blocking[key] || loud[key] {
		return false
	}
	pkg := access.PackageOf(key)
	return pkg == "" || pure[pkg] || quiet[pkg] || alsoPure[key] || quietFunctions[key] || quietTypes[owner(key)]
}

// general are the packages whose interfaces code of any other package may call.
var general = set(`
	container/heap context crypto encoding encoding/gob encoding/json encoding/xml flag fmt hash image io io/fs log/slog math/rand
	math/rand/v2 sort github.com/go-logr/logr`)

// Callers returns whose code may call the methods of an interface that the package of that import path declares: that
// of a module, by the beginning of its path, that of a package of the standard library, or "" for everybody's.
func Callers(path string) string {
	if general[path] {
		return ""
	}
	return Code(path)
}

// everywhere are the packages that others call, so that what these were given is called by everybody.
var everywhere = set(`crypto log/slog github.com/go-logr/logr`)

// FuncCallers returns whose code may call the functions that the package of that import path was given, as Callers does.
func FuncCallers(path string) string {
	if everywhere[path] {
		return ""
	}
	return Code(path)
}

// Code returns whose code the package of that import path is: that of a module, by the beginning of its path, or that
// of the one package of the standard library.
func Code(path string) string {
	elems := strings.Split(path, "/")
	if !strings.Contains(elems[0], ".") {
		return path
	}
	n := 2
	if elems[0] == "github.com" || elems[0] == "gitlab.com" || elems[0] == "bitbucket.org" {
		n = 3
	}
	return strings.Join(elems[:min(n, len(elems))], "/")
}

// closed are the packages, besides those that are pure, whose functions call nothing of ours but what they are given.
var closed = set(`context fmt io/ioutil os runtime runtime/debug sync syscall github.com/puzpuzpuz/xsync/v4 github.com/stretchr/testify/assert github.com/stretchr/testify/require`)

// CallsBack reports whether key may call methods of a value that it, or something that it knows, was given before.
func CallsBack(key string) bool {
	pkg := access.PackageOf(key)
	return callers[owner(key)] || !alsoPure[key] && !pure[pkg] && !closed[pkg]
}

// incurious are the packages whose functions call no methods of what they are given, whatever that is.
var incurious = set(`github.com/puzpuzpuz/xsync/v4`)

// Incurious reports whether key calls no methods of the values that it is given, but for those of interfaces that are its parameters.
func Incurious(key string) bool { return incurious[access.PackageOf(key)] }

// makers are the functions of packages whose others call nothing of ours that call a function that they were given before.
var makers = set(`sync.Pool.Get`)

// Makes reports whether key may call functions that its package was given before, and no methods of values.
func Makes(key string) bool { return makers[key] }

// Pulls reports whether key runs an iterator, and gives control back while it stands in the middle.
func Pulls(key string) bool { return key == "iter.Pull" || key == "iter.Pull2" }

// total are pure functions that never panic, whatever they are given.
var total = set(`
	context.Background context.TODO time.Now time.Since time.Until time.Time.Sub time.Time.Add time.Time.After time.Time.Before time.Time.Equal time.Time.IsZero time.Time.Unix time.Time.UnixNano time.Time.UTC
	strings.ToLower strings.ToUpper strings.TrimSpace strings.HasPrefix strings.HasSuffix strings.Contains strings.EqualFold strings.TrimPrefix strings.TrimSuffix
	strconv.Itoa strconv.Quote strconv.FormatBool path.Base path.Clean path.Join path/filepath.Base path/filepath.Clean path/filepath.Join
	math.Abs math.Max math.Min math.Floor math.Ceil unicode.IsUpper unicode.IsLower unicode.IsDigit unicode.IsLetter unicode.IsSpace`)

// Total reports whether key never panics, so that it may stand between a lock and an unlock that is
// not deferred.
func Total(key string) bool { return total[key] }

// byName call methods whose names they get as data.
var byName = set(`
	text/template.Template.Execute text/template.Template.ExecuteTemplate html/template.Template.Execute html/template.Template.ExecuteTemplate
	reflect.Value.Call reflect.Value.CallSlice`)

// CallsByName reports whether key may call any exported method of what it is given.
func CallsByName(key string) bool { return byName[key] }

// Blocking reports whether key is known to wait.
func Blocking(key string) bool { return blocking[key] }

// polls are functions that say what another goroutine, or the outside, may have done in the meantime.
var polls = set(`context.Context.Err context.Cause sync.Map.Load sync.Map.LoadOrStore sync.Map.LoadAndDelete sync.Map.CompareAndSwap sync.Map.Swap sync.Map.Range`)

// Polls reports whether key returns at once with what another goroutine may have done: a loop around it may wait for that.
func Polls(key string) bool {
	name := key[strings.LastIndexByte(key, '.')+1:]
	return polls[key] || access.PackageOf(key) == "sync/atomic" && !strings.HasPrefix(name, "Store")
}

var clocks = set(`time.Now time.Since time.Until runtime.NumGoroutine runtime.NumCgoCall runtime.ReadMemStats runtime/debug.ReadGCStats`)

// Clock reports whether what key returns changes with time alone.
func Clock(key string) bool { return clocks[key] }

// idle are packages, besides those that are pure, whose functions change nothing of ours.
var idle = set(`context errors fmt log log/slog runtime time`)

// Idle reports whether a call of key changes nothing that a loop could go by.
func Idle(key string) bool { return idle[access.PackageOf(key)] }

var random = set(`crypto/rand math/rand math/rand/v2 hash/maphash unique iter github.com/google/uuid`)

// Random reports whether key returns something else each time.
func Random(key string) bool { return random[access.PackageOf(key)] }

// Watches reports whether key returns what another goroutine may have set in the meantime, without waiting for it: a
// loop around it may.
func Watches(key string) bool {
	name := key[strings.LastIndexByte(key, '.')+1:]
	return access.PackageOf(key) == "sync/atomic" && (strings.HasPrefix(name, "Load") || strings.HasPrefix(name, "CompareAndSwap") || strings.HasPrefix(name, "Swap"))
}
