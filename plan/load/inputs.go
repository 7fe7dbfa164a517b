package load

// This file names what decides what a Config loads, so that an answer about the program can be kept and given again.

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/go/packages"
)

// Inputs is what decides which program a Config loads, and what else of the disk counts for what is said of it.
//
// In Sum are:
//
//   - the Config: the folder, by both names if it lies behind a symbolic link, the patterns, tags, platform, tests, importers, and the overlay;
//   - what go env says, in which are all variables that the go command heeds and the file of go env -w: another platform, release, set of
//     flags, workspace or module cache is another program. GOGCCFLAGS is left out, which names a new temporary folder each time;
//   - the go command's own file and, with cgo, the C compiler's, by size and time, and the file VERSION of the Go tree: distributions
//     change a release under the same name;
//   - go.work with its sums and vendored modules, where it lies outside of the folders that follow;
//   - of the root, the main modules, and folders that a replace directive of theirs puts in the place of a module: the name and kind of every
//     file, so that a new file is seen, also one that is to be embedded, that another module in the tree has, or that stands where a file
//     would be generated; the content, the mode and what a symbolic link leads to of those files that the go command reads: Go files of any
//     build, assembly with what it may include, go.mod, go.sum, go.work, modules.txt; and of those whose names the caller gives.
//
// Not in it is what cannot change: modules of one version, which go.sum seals and the go command does not read again either, and the release's
// own source. Nor is what decides only whether the go command is able to answer, such as the network: what is kept was answered.
type Inputs struct {
	Root     string // as Program.Root will be
	ModCache string // as Program.ModCache will be
	Sum      [sha256.Size]byte

	stamp   [sha256.Size]byte            // of sizes and times of files and folders: another one after a file changed and changed back
	files   map[string][sha256.Size]byte // what files hold that were read, by absolute name
	folders map[string]bool              // whose files are in Sum
}

// maxEntries is how many files and folders are looked at before it would take longer than loading.
const maxEntries = 200_000

// Inputs returns what decides what cfg loads. The content of files with one of the given names counts, too, wherever they are in the
// tree; files that kept is true of do not, unless the go command may read them: answers that are kept in the tree would else be inputs of
// the next. The error says why it cannot be told, in which case nothing may be kept.
func (cfg Config) Inputs(kept func(file string) bool, names ...string) (*Inputs, error) {
	cmd, err := newGoCommand(cfg)
	if err != nil {
		return nil, err
	}
	ws, err := askWorkspace(cmd)
	if err != nil {
		return nil, err
	}
	var env map[string]string
	if err := cmd.run(func(dec *json.Decoder) error { return dec.Decode(&env) }, "env", "-json"); err != nil {
		return nil, err
	}
	if err := tellable(ws, env); err != nil {
		return nil, err
	}
	k := &keyer{
		Inputs: &Inputs{Root: ws.Root, ModCache: ws.GOMODCACHE, files: make(map[string][sha256.Size]byte), folders: make(map[string]bool)},
		sum:    sha256.New(), stamps: sha256.New(), names: names, kept: kept, overlay: cmd.overlay,
	}
	delete(env, "GOGCCFLAGS")
	k.say("config", cmd.dir, evaluated(cmd.dir), cfg.Patterns, cfg.Tags, cfg.Platform, cfg.Tests, cfg.Importers)
	k.say("env", env) // printed sorted
	k.program("go")
	if env["CGO_ENABLED"] == "1" {
		k.program(env["CC"])
	}
	k.file(filepath.Join(ws.GOROOT, "VERSION"))
	for _, name := range slices.Sorted(maps.Keys(cmd.overlay)) {
		k.say("overlay", name, cmd.overlay[name] == nil, sha256.Sum256(cmd.overlay[name]))
		if _, err := os.Lstat(filepath.Dir(name)); err != nil {
			k.folders[filepath.Dir(name)] = true // it is in the overlay only
		}
		if src := cmd.overlay[name]; src != nil {
			k.files[name] = sha256.Sum256(src)
		}
	}
	if err := k.trees(ws, env["GOWORK"]); err != nil {
		return nil, err
	}
	k.sum.Sum(k.Sum[:0])
	k.stamps.Sum(k.stamp[:0])
	return k.Inputs, nil
}

// flagsTold are the build flags in GOFLAGS that say all there is to say: -modfile and -overlay, say, name files.
var flagsTold = []string{"mod", "tags", "buildvcs", "trimpath", "race", "p"}

// tellable returns why it cannot be told what decides what is loaded, or nil.
func tellable(ws *workspace, env map[string]string) error {
	switch {
	case len(ws.Modules) == 0:
		return errors.New("there is no module")
	case !strings.HasPrefix(env["GOVERSION"], "go") || strings.Contains(env["GOVERSION"], "devel"): // devel go1.24-..., go1.25-devel_...
		return fmt.Errorf("the version %q of Go may have any source", env["GOVERSION"])
	}
	for _, flag := range strings.Fields(env["GOFLAGS"]) {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if !slices.Contains(flagsTold, name) {
			return fmt.Errorf("GOFLAGS has %s", flag)
		}
	}
	return nil
}

// keyer fills Inputs.
type keyer struct {
	*Inputs
	sum, stamps hash.Hash
	names       []string
	kept        func(file string) bool
	overlay     map[string][]byte
	entries     int
}

func (k *keyer) say(what string, values ...any) { fmt.Fprintf(k.sum, "%s %#v\n", what, values) }

// program adds the executable of that name.
func (k *keyer) program(name string) {
	file, err := exec.LookPath(name)
	if err != nil {
		k.say("no program", name)
		return
	}
	if info, err := os.Stat(file); err == nil {
		k.say("program", file, info.Size(), info.ModTime().UnixNano())
	}
}

// trees adds the folders that have source which may change.
func (k *keyer) trees(ws *workspace, work string) error {
	roots := []string{ws.Root}
	var replaced []string
	for _, m := range ws.Modules {
		k.say("module", m.Path, m.Dir, evaluated(m.Dir))
		roots = append(roots, m.Dir)
		local, err := k.replaced(filepath.Join(m.Dir, "go.mod"))
		if err != nil {
			return err
		}
		replaced = append(replaced, local...)
	}
	if filepath.IsAbs(work) {
		k.file(work)
		k.file(work + ".sum")
		k.file(filepath.Join(filepath.Dir(work), "vendor", "modules.txt"))
		local, err := k.replaced(work)
		if err != nil {
			return err
		}
		replaced = append(replaced, local...)
	}
	for _, dir := range roots {
		if err := k.folder(dir, true); err != nil {
			return err
		}
	}
	for _, dir := range replaced {
		if err := k.folder(dir, false); err != nil {
			return err
		}
	}
	return nil
}

// replaced returns the folders that the replace directives of the named go.mod or go.work name.
func (k *keyer) replaced(file string) ([]string, error) {
	src, ok := k.overlay[file]
	if !ok {
		var err error
		if src, err = os.ReadFile(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil // a module of the Go tree that is vendored
		} else if err != nil {
			return nil, err
		}
	}
	var replace []*modfile.Replace
	if filepath.Ext(file) == ".work" {
		f, err := modfile.ParseWork(file, src, nil)
		if err != nil {
			return nil, err
		}
		replace = f.Replace
	} else {
		f, err := modfile.Parse(file, src, nil)
		if err != nil {
			return nil, err
		}
		replace = f.Replace
	}
	var dirs []string
	for _, r := range replace {
		if r.New.Version != "" {
			continue
		}
		dir := filepath.FromSlash(r.New.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// folder adds what is in and below dir; modules below it only if nested is set. What git keeps in .git is no source.
func (k *keyer) folder(dir string, nested bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		k.say("no folder", dir)
		return nil
	} else if err != nil {
		return err
	}
	if k.entries += len(entries); k.entries > maxEntries {
		return fmt.Errorf("there are more than %d files", maxEntries)
	}
	k.say("folder", dir)
	k.stampOf(dir)
	k.folders[dir] = true
	assembly := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return slices.Contains([]string{".s", ".S", ".sx"}, filepath.Ext(e.Name())) })
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() && e.Name() == ".git":
		case e.IsDir() && !nested && isModule(name):
			k.say("another module", name)
		case e.IsDir():
			err = k.folder(name, nested)
		case !assembly && !k.isRead(e.Name()) && k.kept(name):
		default:
			k.say("name", name, e.Type())
			if assembly || k.isRead(e.Name()) {
				err = k.file(name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isModule(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// isRead reports whether the content of files of that name counts.
func (k *keyer) isRead(name string) bool {
	return filepath.Ext(name) == ".go" || slices.Contains([]string{"go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt"}, name) || slices.Contains(k.names, name)
}

// elsewhere is how assembly includes a file of another folder, which is not known to be looked at.
var elsewhere = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*include[ \t]*["<][^"\n]*[/\\]`)

// file adds what the named file holds; that there is none, if so.
func (k *keyer) file(name string) error {
	info, err := os.Lstat(name)
	if err != nil {
		k.say("no file", name)
		return nil
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(name)
		if err != nil {
			return err
		}
		k.say("link", name, to)
	}
	k.stampOf(name)
	if target, err := os.Stat(name); err != nil || !target.Mode().IsRegular() {
		k.say("no regular file", name)
		return nil
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if filepath.Ext(name) != ".go" && elsewhere.Match(src) {
		return fmt.Errorf("%s includes a file of another folder", name)
	}
	sum := sha256.Sum256(src)
	k.say("file", name, info.Mode(), sum)
	if _, over := k.overlay[name]; !over {
		k.files[name] = sum
	}
	return nil
}

// stampOf adds when the file or folder, and what a link leads to, was changed last.
func (k *keyer) stampOf(name string) {
	for _, stat := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		if info, err := stat(name); err == nil {
			fmt.Fprintln(k.stamps, name, info.Size(), info.ModTime().UnixNano())
		}
	}
}

// Same reports whether in is what later is and nothing was written in between, so that what was read in between is what in says.
func (in *Inputs) Same(later *Inputs) bool { return in.Sum == later.Sum && in.stamp == later.stamp }

// Miss returns what prog was made of that is not in Sum, as an error; nil if in decides all of prog. A program with errors is never
// decided: the go command may have made them of the network, or of what is missing on this machine.
func (in *Inputs) Miss(prog *Program) error {
	switch {
	case len(prog.Errors) > 0:
		return errors.New("not all packages load")
	case prog.cgo != "":
		return fmt.Errorf("%s uses cgo", prog.cgo)
	}
	for _, dir := range prog.folders {
		if !in.folders[dir] {
			return fmt.Errorf("%s lies outside of the modules", dir)
		}
	}
	for _, pkg := range prog.Packages {
		for _, f := range slices.Concat(pkg.Files, pkg.Unchecked) {
			switch sum, ok := in.files[f.Abs]; {
			case !ok && slices.Contains(prog.folders, filepath.Dir(f.Abs)):
				return fmt.Errorf("%s was not there before", f.Abs)
			case ok && sum != sha256.Sum256(f.Src):
				return fmt.Errorf("%s was changed meanwhile", f.Abs)
			}
		}
	}
	return nil
}

// origins fills in where the program comes from: the folders whose files may change, and a package that uses cgo, of which what it is may
// depend on more than is looked at. That is not the case where cgo reads files of a module cache: of the system's own headers the go command, too,
// takes for granted that they stay.
func (ld *loader) origins() {
	seen := make(map[string]bool)
	packages.Visit(ld.roots, func(p *packages.Package) bool {
		v := variantOf(p)
		if p.PkgPath == "unsafe" || v == testMain {
			return true
		}
		own := p.Module != nil && p.Module.Main
		if !own && p.Dir != "" && within(p.Dir, filepath.Join(ld.GOROOT, "src")) {
			return true
		}
		cached := !own && p.Dir != "" && ld.GOMODCACHE != "" && within(p.Dir, ld.GOMODCACHE)
		if slices.ContainsFunc(p.CompiledGoFiles, func(name string) bool { return filepath.Dir(name) != p.Dir }) && (!cached || asksPkgConfig(p)) {
			ld.prog.cgo = p.PkgPath
		}
		if !cached && !seen[p.Dir] {
			seen[p.Dir] = true
			ld.prog.folders = append(ld.prog.folders, p.Dir)
		}
		return true
	}, nil)
	slices.Sort(ld.prog.folders)
}

// asksPkgConfig reports whether cgo may ask another program how p is to be built.
func asksPkgConfig(p *packages.Package) bool {
	return slices.ContainsFunc(p.GoFiles, func(name string) bool {
		src, err := os.ReadFile(name)
		return err != nil || bytes.Contains(src, []byte("pkg-config"))
	})
}

// evaluated returns dir without symbolic links, or dir itself.
func evaluated(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}
