package model

import "mapmend/plan/access"

// This file knows what library functions do to maps they are given.

// MapArg is what a function does with one map argument. The zero MapArg is not known.
type MapArg uint8

const (
	UnknownArg MapArg = iota
	Reads             // looks at its entries before it returns
	Writes            // changes its entries before it returns
	Aliases           // returns an iterator over it: whoever runs that reads it
)

var mapArgs = map[string][]MapArg{
	"maps.Keys":       {Aliases},
	"maps.Values":     {Aliases},
	"maps.All":        {Aliases},
	"maps.Clone":      {Reads},
	"maps.Equal":      {Reads, Reads},
	"maps.EqualFunc":  {Reads, Reads},
	"maps.Copy":       {Writes, Reads},
	"maps.DeleteFunc": {Writes},
	"maps.Insert":     {Writes, Reads},

	"net/http.Header.Add":                       {Writes},
	"net/http.Header.Del":                       {Writes},
	"net/http.Header.Set":                       {Writes},
	"net/textproto.MIMEHeader.Add":              {Writes},
	"net/textproto.MIMEHeader.Del":              {Writes},
	"net/textproto.MIMEHeader.Set":              {Writes},
	"net/url.Values.Add":                        {Writes},
	"net/url.Values.Del":                        {Writes},
	"net/url.Values.Set":                        {Writes},
	"google.golang.org/grpc/metadata.MD.Append": {Writes},
	"google.golang.org/grpc/metadata.MD.Delete": {Writes},
	"google.golang.org/grpc/metadata.MD.Set":    {Writes},

	"golang.org/x/exp/maps.Keys":       {Reads},
	"golang.org/x/exp/maps.Values":     {Reads},
	"golang.org/x/exp/maps.Clone":      {Reads},
	"golang.org/x/exp/maps.Equal":      {Reads, Reads},
	"golang.org/x/exp/maps.EqualFunc":  {Reads, Reads},
	"golang.org/x/exp/maps.Copy":       {Writes, Reads},
	"golang.org/x/exp/maps.Clear":      {Writes},
	"golang.org/x/exp/maps.DeleteFunc": {Writes},
}

// MapUse returns what key does with its argument number arg, if that is a map.
func MapUse(key string, arg int) MapArg {
	if row := mapArgs[key]; arg < len(row) {
		return row[arg]
	}
	return UnknownArg
}

// inPlace are the functions that change the entries of the slice that is their first argument.
var inPlace = set(`
	slices.Sort slices.SortFunc slices.SortStableFunc slices.Reverse slices.Delete slices.DeleteFunc slices.Compact slices.CompactFunc
	slices.Insert slices.Replace sort.Strings sort.Ints sort.Float64s sort.Slice sort.SliceStable`)

// InPlace reports whether key changes the entries of the slice that is its first argument.
func InPlace(key string) bool { return inPlace[key] }

// readers are the packages whose functions look into a value they are given before they return:
// printers, encoders, comparers.
var readers = set(`fmt log encoding/json encoding/gob encoding/xml reflect text/template html/template log/slog errors`)

// writersTo are the functions that fill a variable whose address they are given.
var writersTo = set(`
	encoding/json.Unmarshal encoding/json.Decoder.Decode encoding/gob.Decoder.Decode encoding/xml.Unmarshal encoding/xml.Decoder.Decode
	gopkg.in/yaml%2ev2.Unmarshal gopkg.in/yaml%2ev3.Unmarshal go.yaml.in/yaml/v3.Unmarshal sigs.k8s.io/yaml.Unmarshal
	github.com/BurntSushi/toml.Decode github.com/BurntSushi/toml.Unmarshal github.com/BurntSushi/toml.DecodeFile
	errors.As github.com/pkg/errors.As github.com/stretchr/testify/assert.ErrorAs github.com/stretchr/testify/require.ErrorAs
	github.com/stretchr/testify/assert.ErrorAsf github.com/stretchr/testify/require.ErrorAsf`)

// ReadsAll reports whether key looks into the maps of every value it is given.
func ReadsAll(key string) bool {
	_, ok := looks[key]
	return ok || readers[access.PackageOf(key)]
}

// comparers are the packages that compare in tests what they are given.
var comparers = set(`
	testing github.com/stretchr/testify/assert github.com/stretchr/testify/require github.com/google/go-cmp/cmp gotest.tools/v3/assert`)

// Compares reports whether key, of a package for tests, looks at the maps that it is given before it returns, and keeps none.
func Compares(key string) bool { return comparers[access.PackageOf(key)] }

// lookers are the packages, besides the readers, whose functions do nothing else with a map that they are given as an
// interface: those that log. See comparers, too.
var lookers = set(`
	github.com/go-kit/log github.com/go-logr/logr github.com/golang/glog github.com/hashicorp/go-hclog
	github.com/pkg/errors github.com/rs/zerolog github.com/rs/zerolog/log github.com/sirupsen/logrus go.uber.org/zap
	google.golang.org/grpc/status k8s.io/klog k8s.io/klog/v2`)

// LooksOnly reports whether key does nothing else with a map that it is given as an interface than to look at its entries
// before it returns.
func LooksOnly(key string) bool {
	return key != "reflect.ValueOf" && (ReadsAll(key) || Compares(key) || lookers[access.PackageOf(key)])
}

// fieldCounters tell the fields of a struct apart by their number, or panic at one that is not exported.
var fieldCounters = set(`
	reflect.ValueOf reflect.TypeOf reflect.TypeFor github.com/google/go-cmp/cmp.Equal github.com/google/go-cmp/cmp.Diff gotest.tools/v3/assert.DeepEqual`)

// CountsFields reports whether what key is given may be seen to have one more field that is not exported.
// Printers are not meant, which show it, nor encoders and [reflect.DeepEqual], for which a free mutex is nothing.
func CountsFields(key string) bool { return fieldCounters[key] }

// Fills reports whether key assigns what its argument points to.
func Fills(key string) bool { return writersTo[key] }
