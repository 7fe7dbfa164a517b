package model

import "strings"

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
	container/heap.Init container/heap.Push container/heap.Pop container/heap.Fix container/heap.Remove`)

// alsoPure are functions of packages that are not pure on the whole.
var alsoPure = set(`
	fmt.Sprintf fmt.Sprint fmt.Sprintln fmt.Errorf context.Context.Err context.WithValue context.Background context.TODO
	reflect.TypeOf reflect.DeepEqual time.Timer.Stop time.Ticker.Stop
	net/http.Request.Context net/http.Header.Get net/http.Header.Set net/http.Header.Add net/http.Header.Del net.ParseIP net.JoinHostPort net.SplitHostPort net.IP.String
	sync.Map.Load sync.Map.Store sync.Map.Delete sync.Map.LoadOrStore sync.Map.LoadAndDelete`)

// blocking are the functions that wait for something another goroutine or the outside does.
var blocking = set(`
	time.Sleep sync.WaitGroup.Wait sync.Cond.Wait golang.org/x/sync/errgroup.Group.Wait golang.org/x/sync/singleflight.Group.Do
	golang.org/x/sync/semaphore.Weighted.Acquire`)

// Pure reports whether a call of key may stand in a section that holds a lock.
func Pure(key string) bool {
	return alsoPure[key] || pure[Package(key)] && !impure[key] && !blocking[key]
}

// total are pure functions that never panic, whatever they are given.
var total = set(`
	time.Now time.Since time.Until time.Time.Sub time.Time.Add time.Time.After time.Time.Before time.Time.Equal time.Time.IsZero time.Time.Unix time.Time.UnixNano time.Time.UTC
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

// Watches reports whether key returns what another goroutine may have set in the meantime, without waiting for it: a
// loop around it may.
func Watches(key string) bool {
	name := key[strings.LastIndexByte(key, '.')+1:]
	return Package(key) == "sync/atomic" && (strings.HasPrefix(name, "Load") || strings.HasPrefix(name, "CompareAndSwap") || strings.HasPrefix(name, "Swap"))
}
