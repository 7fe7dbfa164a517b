package load

// This file runs the go command.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"
)

// goCommand is the go command in one folder and environment.
type goCommand struct {
	dir      string // absolute
	env      []string
	platform string   // that is asked for; empty: that of env
	flags    []string // build flags
	overlay  map[string][]byte
	temp     string // GOTMPDIR; set by askWorkspace
	context  func() (context.Context, context.CancelFunc)
}

// errInterrupted is why there is no answer after the context of a run ended.
var errInterrupted = errors.New("interrupted")

// newGoCommand returns the go command for cfg, or an error if its folder does not exist.
func newGoCommand(cfg Config) (*goCommand, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if fi, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !fi.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	env := cfg.Env
	if env == nil {
		env = os.Environ()
	}
	// A driver of the user's would answer for other variants and without export data. PWD keeps the name by
	// which the user knows a folder behind a symbolic link.
	env = slices.Concat(env, []string{"GOPACKAGESDRIVER=off", "PWD=" + dir}, forPlatform(cfg.Platform))
	cmd := &goCommand{dir: dir, env: env, platform: cfg.Platform, context: cfg.Context}
	if cmd.context == nil {
		cmd.context = func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }
	}
	if cfg.Tags != "" {
		cmd.flags = []string{"-tags=" + cfg.Tags}
	}
	if len(cfg.Overlay) > 0 {
		cmd.overlay = make(map[string][]byte, len(cfg.Overlay))
		for name, src := range cfg.Overlay {
			cmd.overlay[filepath.Clean(name)] = src
		}
	}
	return cmd, nil
}

// packages is packages.Load with the go command's own words as the error.
func (c *goCommand) packages(mode packages.LoadMode, tests bool, patterns []string) ([]*packages.Package, error) {
	ctx, free := c.context()
	defer free()
	flags := c.flags
	overlay, remove, err := OverlayFile(c.overlay)
	if err != nil {
		return nil, err
	}
	defer remove()
	if overlay != "" {
		flags = append(slices.Clip(flags), "-overlay="+overlay)
	}
	work, err := os.MkdirTemp(c.temp, "mapmend-go-*")
	if err != nil {
		return nil, err
	}
	defer removeAll(work)
	pkgs, err := packages.Load(&packages.Config{
		Context:    ctx,
		Mode:       mode,
		Dir:        c.dir,
		Env:        append(slices.Clip(c.env), "GOTMPDIR="+work), // go list leaves its files when it is interrupted
		BuildFlags: flags,
		Tests:      tests,
	}, patterns...)
	if ctx.Err() != nil {
		return nil, errInterrupted // an answer may be half of one
	} else if err != nil {
		return nil, plainError(err.Error())
	}
	return pkgs, nil
}

// removeAll removes a folder in which a compiler, whose go command is gone, may write for a moment still.
func removeAll(dir string) {
	for range 50 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// run decodes the JSON objects that the go command prints, calling decode for each until it returns an error.
func (c *goCommand) run(decode func(*json.Decoder) error, args ...string) error {
	ctx, free := c.context()
	defer free()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it takes its files with it
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return errInterrupted
	} else if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return plainError(stderr.String())
	} else if err != nil {
		return fmt.Errorf("cannot run the go command: %w", err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		if err := decode(dec); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read the answer of go %s: %w", strings.Join(args, " "), err)
		}
	}
}

// complaint returns why the go command finds no packages for patterns, or nil: packages.Load leaves that out of what it says
// when a dependency cannot be had.
func (c *goCommand) complaint(patterns []string) error {
	nothing := func(*json.Decoder) error { return io.EOF }
	flags := c.flags
	overlay, remove, err := OverlayFile(c.overlay)
	if err != nil {
		return err
	}
	defer remove()
	if overlay != "" {
		flags = append(slices.Clip(flags), "-overlay="+overlay)
	}
	return c.run(nothing, slices.Concat([]string{"list"}, flags, []string{"--"}, patterns)...)
}

// downloading is what the go command says while it goes on.
var downloading = regexp.MustCompile(`(?m)^go: (downloading|finding) .*\n`)

// plainError returns what the go command said, without the wrapping of those who ran it.
func plainError(text string) error {
	if _, said, ok := strings.Cut(text, "stderr: "); ok {
		text = said
	}
	text = downloading.ReplaceAllString(text, "")
	text = strings.TrimPrefix(oneLine(text), "go: ")
	if text == "" {
		text = "the go command failed and said nothing"
	}
	return errors.New(text)
}
