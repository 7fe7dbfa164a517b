package vet

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"
)

// Asked reports whether args, those of the process without its name, are how go vet calls its tool: for its version, its flags, or
// about the package that a file describes.
func Asked(args []string) bool {
	if len(args) == 0 || slices.ContainsFunc(args[:len(args)-1], func(arg string) bool { return !strings.HasPrefix(arg, "-") }) {
		return false
	}
	last := args[len(args)-1]
	return last == versionFlag || last == "-flags" || filepath.IsAbs(last) && filepath.Base(last) == "vet.cfg"
}

const versionFlag = "-V=full"

// Main does what go vet asks for in args, and returns an error, or ends the process.
func Main(args []string, stdout io.Writer) error {
	if slices.Contains(args, versionFlag) {
		return printVersion(stdout)
	}
	unitchecker.Main(Analyzer)
	return nil
}

// printVersion prints what the go command wants to know before it takes a result from its cache: which tool made it. What the tool
// finds depends on the configuration, too, of which a module or workspace has one: go vet calls the tool where it was called itself, and
// all packages that it looks at are of the same.
func printVersion(w io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	h := sha256.New()
	if err := hashFile(h, exe); err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	file, err := configurationFile(dir)
	if err != nil {
		return err
	}
	if file != "" {
		if err := hashFile(h, file); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "mapmend version devel buildID=%x\n", h.Sum(nil))
	return err
}

func hashFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
