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

	"mapmend/plan/config"
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
// finds depends on the configuration of the module, too, and go vet calls it in a folder of that.
func printVersion(w io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	h := sha256.New()
	if err := hashFile(h, exe); err != nil {
		return err
	}
	if dir, err := os.Getwd(); err == nil {
		if err := hashFile(h, filepath.Join(moduleRoot(dir), config.Name)); err != nil && !os.IsNotExist(err) {
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
