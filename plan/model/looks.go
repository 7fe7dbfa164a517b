package model

// This file knows which library functions look into the structs that they are given, and how far.

// Look is how far a function looks into a value. The zero Look is not at all, as far as is known.
type Look struct {
	Prints     bool     // shows all fields to people
	Format     int      // the argument that holds a format, the receiver not counted; 0 when there is none
	Unexported bool     // also at fields that are not exported
	Tag        string   // of the fields: those with the value "-" are left out
	Methods    []string // a value that has one of them is asked, and not looked into
}

var (
	printer  = Look{Prints: true, Unexported: true, Methods: []string{"Format", "GoString", "Error", "String"}}
	comparer = Look{Unexported: true}
	encoder  = Look{Tag: "json", Methods: []string{"MarshalJSON", "MarshalText"}}
	gobs     = Look{Methods: []string{"GobEncode", "MarshalBinary", "MarshalText"}}
	yamls    = Look{Tag: "yaml", Methods: []string{"MarshalYAML", "MarshalText"}}
	loggers  = Look{Prints: true, Tag: "json", Methods: []string{"LogValue", "MarshalJSON", "MarshalText", "Format", "Error", "String"}}
)

// formats returns how a printer looks whose argument number format holds the format.
func formats(format int) Look {
	l := printer
	l.Format = format
	return l
}

var looks = looksOf([]struct {
	how  Look
	keys string
}{
	{printer, `fmt.Print fmt.Println fmt.Sprint fmt.Sprintln fmt.Fprint fmt.Fprintln fmt.Append fmt.Appendln
		log.Print log.Println log.Fatal log.Fatalln log.Panic log.Panicln
		log.Logger.Print log.Logger.Println log.Logger.Fatal log.Logger.Fatalln log.Logger.Panic log.Logger.Panicln`},
	{formats(1), `fmt.Printf fmt.Sprintf fmt.Errorf log.Printf log.Fatalf log.Panicf log.Logger.Printf log.Logger.Fatalf log.Logger.Panicf`},
	{formats(2), `fmt.Fprintf fmt.Appendf`},
	{comparer, `reflect.DeepEqual github.com/google/go-cmp/cmp.Equal github.com/google/go-cmp/cmp.Diff`},
	{encoder, `encoding/json.Marshal encoding/json.MarshalIndent encoding/json.Encoder.Encode go.uber.org/zap.Any go.uber.org/zap.Reflect`},
	{gobs, `encoding/gob.Encoder.Encode`},
	{yamls, `gopkg.in/yaml%2ev2.Marshal gopkg.in/yaml%2ev3.Marshal gopkg.in/yaml%2ev3.Encoder.Encode go.yaml.in/yaml/v3.Marshal go.yaml.in/yaml/v3.Encoder.Encode`},
	{loggers, `log/slog.Debug log/slog.Info log/slog.Warn log/slog.Error log/slog.Any log/slog.Logger.Debug log/slog.Logger.Info log/slog.Logger.Warn log/slog.Logger.Error
		log/slog.DebugContext log/slog.InfoContext log/slog.WarnContext log/slog.ErrorContext log/slog.Log log/slog.With log/slog.Group log/slog.AnyValue
		log/slog.Logger.DebugContext log/slog.Logger.InfoContext log/slog.Logger.WarnContext log/slog.Logger.ErrorContext log/slog.Logger.Log log/slog.Logger.With`},
})

func looksOf(rows []struct {
	how  Look
	keys string
}) map[string]Look {
	out := make(map[string]Look)
	for _, row := range rows {
		for key := range set(row.keys) {
			out[key] = row.how
		}
	}
	return out
}

// Looks returns how far key looks into the values that it is given as interfaces; ok is false when it is not
// known to.
func Looks(key string) (how Look, ok bool) {
	how, ok = looks[key]
	return how, ok
}

// Prints reports whether key shows the fields of the structs that it is given, those that are not exported too.
func Prints(key string) bool {
	return looks[key].Prints
}

// reflecting are the packages that call methods which they find by name.
var reflecting = set("reflect text/template html/template")

// Reflects reports whether the package at path calls methods of what it is given that it finds by name.
func Reflects(path string) bool { return reflecting[path] }
