package main

// This file turns the command line into an invocation.

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mapmend/plan"
	"mapmend/plan/config"
	"mapmend/plan/load"
)

// An invocation is one command with its options, and where its output goes.
type invocation struct {
	signals        *signals  // that end the process
	progress       *progress // on the terminal
	stdin          io.Reader // for --evidence -
	stdout, stderr io.Writer // results; everything else

	command  command   // that is carried out
	commands []command // all that there are: what a command runs cannot name the table that it is in
	flags    *pflag.FlagSet
	args     []string // what is left: the arguments of the command
	dir      string   // absolute working directory: that of the process, or -C's

	hint string // printed when the packages cannot be found: the first may be a mistyped command

	settings *config.Config // what the module's configuration says; set by configure, nil when it has none
	unread   []string       // configurations that do not count; set by configure

	tags          string
	platforms     platformsFlag
	tests         bool
	forms         formsFlag
	accessors     choiceFlag
	emitTests     bool
	fields        []string
	all           bool
	minConfidence confidenceFlag
	write         bool
	output        string
	exitCode      bool
	format        choiceFlag
	color         choiceFlag
	verbose       bool
	quiet         bool
	version       bool
	evidence      []string
	baseline      string
	writeBaseline bool
	since         string
	staged        bool
	overlay       map[string][]byte // over the files; set by staging
	noCache       bool
	evidenceDir   string        // that names of evidence are relative to; empty: dir
	gathered      *readEvidence // what the files of evidence have; nil until they are read
	silent        bool          // explain: a variable without a finding too
}

// define declares every flag of every command. Which command takes which is in the table of commands.
func (inv *invocation) define() {
	inv.minConfidence = confidenceFlag{plan.Likely}
	inv.format = choiceFlag{formats[0].name, formatNames()}
	inv.accessors = choiceFlag{"used", []string{"used", "all"}}
	inv.color = choiceFlag{"auto", []string{"auto", "always", "never"}}

	fs := pflag.NewFlagSet("mapmend", pflag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors and help are printed by run
	fs.StringVarP(&inv.dir, "chdir", "C", "", "work in `DIR`, and print file names relative to it")
	fs.StringVar(&inv.tags, "tags", "", "build `TAGS`, separated by commas, as for the go command")
	fs.Var(&inv.platforms, "platforms", "the `PLATFORMS` to look at and to mend for, separated by commas, such as linux/amd64,windows/amd64: what differs between them is refused")
	fs.BoolVar(&inv.tests, "tests", true, "load test files too; --tests=false leaves them out")
	fs.Var(&inv.forms, "form", "the `FORM` to give a map variable: auto, or a list, separated by commas, of which the first feasible is taken; the forms: "+knownForms())
	fs.Var(&inv.accessors, "accessors", "`WHICH` accessors a generated type has: used, or all that it can have")
	fs.BoolVar(&inv.emitTests, "emit-tests", false, "write tests beside a generated type: against a plain map, of fuzzed operations, of many goroutines, and a benchmark")
	fs.StringArrayVar(&inv.fields, "field", nil, "only map variables that match `PATTERN`, a glob over PKG.Type.field or the end of it; repeatable")
	fs.BoolVar(&inv.all, "all", false, "mend also map variables that no finding of that confidence is about, and that have no guard")
	fs.Var(&inv.minConfidence, "min-confidence", "least `CONFIDENCE` that counts: possible, likely or proven")
	fs.BoolVarP(&inv.write, "write", "w", false, "write the mended files in place of printing a diff")
	fs.StringVarP(&inv.output, "output", "o", "", "write the plan to `FILE` in place of standard output")
	fs.BoolVar(&inv.exitCode, "exit-code", false, "exit 1 when the diff is not empty")
	fs.StringArrayVar(&inv.evidence, "evidence", nil, "a `FILE` that a running program left: a log with crashes (\"fatal error: concurrent map ...\") or reports of the race detector, whose variables are proven; a mutex or block profile, which shows whose lock is hot; a CPU profile or counts of coverage, which weigh the uses for the choice of a form; - is standard input, repeatable")
	fs.StringVar(&inv.baseline, "baseline", "", "leave out the findings that `FILE` knows")
	fs.BoolVar(&inv.writeBaseline, "write-baseline", false, "write the findings to the file of --baseline, in place of what it knows, and do not fail for them")
	fs.StringVar(&inv.since, "changed-since", "", "leave out the findings that were there at the git revision `REV`")
	fs.BoolVar(&inv.staged, "staged", false, "look at what is in git's index, and not at the files")
	fs.BoolVar(&inv.noCache, "no-cache", false, "work everything out, and keep nothing of it for the next run")
	fs.Var(&inv.format, "format", "output `FORMAT`: "+strings.Join(formatNames(), ", ")+"; a dry run prints the diff as text, and in json, sarif and rdjson the findings with their mends as edits")
	fs.Var(&inv.color, "color", "`WHEN` to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never")
	fs.BoolVarP(&inv.verbose, "verbose", "v", false, "say more: each step and its time, every use of a reported variable")
	fs.BoolVarP(&inv.quiet, "quiet", "q", false, "print nothing on standard error but errors")
	fs.BoolVar(&inv.version, "version", false, "print the version")
	fs.BoolP("help", "h", false, "print this help")
	fs.SortFlags = false
	inv.flags = fs
}

// common are the flags that stand for themselves, whatever the command.
var common = []string{"help", "version"}

// parse reads args into inv and returns the command they name. The error is pflag.ErrHelp when help was asked for.
func (inv *invocation) parse(args []string) (command, error) {
	inv.define()
	inv.commands = commands
	if err := inv.flags.Parse(args); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return command{}, err
	}
	inv.args = inv.flags.Args()
	c := commands[0]
	if len(inv.args) > 0 && inv.flags.ArgsLenAtDash() != 0 {
		if named := commandNamed(commands, inv.args[0]); named != nil {
			c, inv.args = *named, inv.args[1:]
		} else if !strings.ContainsAny(inv.args[0], "./\\") {
			inv.hint = fmt.Sprintf("%s is not a command (%s); a folder begins with ./", inv.args[0], commandNames())
		}
	}
	inv.command = c
	if inv.flags.Changed("help") {
		return c, pflag.ErrHelp
	}
	if err := cmp.Or(inv.fits(c), inv.chdir()); err != nil || c.run != nil {
		return c, err
	}
	return asked(inv.args)
}

// asked returns the command that help is asked about, with pflag.ErrHelp.
func asked(args []string) (command, error) {
	if len(args) == 0 {
		return commands[0], pflag.ErrHelp
	}
	if named := commandNamed(commands, args[0]); named != nil && len(args) == 1 {
		return *named, pflag.ErrHelp
	}
	return command{}, fmt.Errorf("%s is not a command: the commands are %s", strings.Join(args, " "), commandNames())
}

// commandNamed returns the command of that name in table, or nil. The nameless one has none.
func commandNamed(table []command, name string) *command {
	for i := range table {
		if name != "" && table[i].name == name {
			return &table[i]
		}
	}
	return nil
}

// commandNames lists the commands that have a name.
func commandNames() string {
	var names []string
	for _, c := range commands[1:] {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// fits reports, as an error, the first thing about the flags that c cannot honour.
func (inv *invocation) fits(c command) (err error) {
	inv.flags.Visit(func(f *pflag.Flag) {
		if err == nil && !slices.Contains(common, f.Name) && !slices.Contains(c.flags, f.Name) {
			err = fmt.Errorf("'%s' does not take --%s", strings.TrimSpace("mapmend "+c.name), f.Name)
		}
	})
	for _, pattern := range inv.fields {
		if _, bad := path.Match(pattern, ""); bad != nil {
			err = cmp.Or(err, fmt.Errorf("--field %q: %w", pattern, bad))
		}
	}
	switch {
	case err != nil:
		return err
	case inv.write && inv.exitCode:
		return errors.New("--exit-code is about the diff of a dry run: use it without -w")
	case inv.write && inv.format.value != diffFormat:
		return errors.New("--format is about what a dry run prints: use it without -w")
	case inv.all && inv.format.value != diffFormat:
		return errors.New("--all mends what no finding is about, which only a diff shows: use it without --format")
	case inv.writeBaseline && inv.baseline == "":
		return errors.New("--write-baseline writes the file that --baseline names")
	case inv.writeBaseline && len(inv.fields) > 0:
		return errors.New("--write-baseline takes all findings: use it without --field")
	case inv.flags.Changed("changed-since") && inv.since == "":
		return errors.New("--changed-since needs a revision")
	case inv.writeBaseline && inv.since != "":
		return errors.New("--write-baseline takes all findings: use it without --changed-since")
	case inv.verbose && inv.quiet:
		return errors.New("-v and -q exclude each other")
	}
	return inv.provable()
}

// provable reports, as an error, that tests are to be written and not to be loaded.
func (inv *invocation) provable() error {
	if inv.emitTests && !inv.tests {
		return errors.New("--emit-tests writes tests, which --tests=false does not load, so that they could not be proved")
	}
	return nil
}

// chdir makes dir absolute. The process stays where it is: file names are related to dir instead.
func (inv *invocation) chdir() error {
	abs, err := filepath.Abs(inv.dir)
	if err != nil {
		return err
	}
	inv.dir = abs
	if info, err := os.Stat(abs); err != nil {
		return fmt.Errorf("-C: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("-C: %s is not a directory", abs)
	}
	return nil
}

func knownForms() string {
	names := make([]string, len(plan.Forms))
	for i, f := range plan.Forms {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// formsFlag is --form: the forms in order of preference, none for auto.
type formsFlag []plan.Form

func (f *formsFlag) Type() string { return "FORM" }

func (f *formsFlag) String() string {
	if len(*f) == 0 {
		return "auto"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*f), " ", ","), "[]")
}

func (f *formsFlag) Set(list string) error {
	*f = nil
	if list == "auto" {
		return nil
	}
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(plan.Forms, plan.Form(name)) {
			return fmt.Errorf("unknown form %q: the forms are auto, %s", name, knownForms())
		}
		*f = append(*f, plan.Form(name))
	}
	return nil
}

// platformsFlag is --platforms: none for that of the environment.
type platformsFlag []string

func (f *platformsFlag) Type() string   { return "PLATFORMS" }
func (f *platformsFlag) String() string { return strings.Join(*f, ",") }

func (f *platformsFlag) Set(list string) error {
	*f = nil
	if list == "" {
		return nil
	}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if err := load.CheckPlatform(name); err != nil {
			return err
		}
		if !slices.Contains(*f, name) {
			*f = append(*f, name)
		}
	}
	return nil
}

// confidenceFlag is --min-confidence.
type confidenceFlag struct{ plan.Confidence }

func (c *confidenceFlag) Type() string { return "CONFIDENCE" }

func (c *confidenceFlag) Set(name string) (err error) {
	c.Confidence, err = plan.ParseConfidence(name)
	return err
}

// choiceFlag is a flag with a closed list of values.
type choiceFlag struct {
	value   string
	allowed []string
}

func (c *choiceFlag) Type() string   { return "CHOICE" }
func (c *choiceFlag) String() string { return c.value }

func (c *choiceFlag) Set(value string) error {
	if !slices.Contains(c.allowed, value) {
		return fmt.Errorf("must be one of %s", strings.Join(c.allowed, ", "))
	}
	c.value = value
	return nil
}
