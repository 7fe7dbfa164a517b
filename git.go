package main

// This file asks git what files hold in another state of the repository, as an overlay over the files of the work tree.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/config"
)

// repository is a git repository, seen from a folder in its work tree.
type repository struct {
	dir  string                                       // absolute, by the name that the user knows it by
	root string                                       // of the work tree, without symbolic links; git runs there
	hold func() (context.Context, context.CancelFunc) // while git runs
}

func (inv *invocation) repositoryAt(dir string) (*repository, error) {
	// In a hook of a linked work tree GIT_DIR is set, and git takes any folder that it runs in for the root.
	found := &repository{dir, dir, inv.signals.hold}
	plain := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_DIR=") || strings.HasPrefix(v, "GIT_WORK_TREE=") })
	root, err := found.run(plain, "rev-parse", "--show-toplevel")
	if err != nil {
		if root, err = found.git("rev-parse", "--show-toplevel"); err != nil {
			return nil, err
		}
	}
	found.root = resolve(filepath.FromSlash(strings.TrimSuffix(string(root), "\n")))
	return found, nil
}

// git runs git in the root of the work tree and returns what it prints.
func (r *repository) git(args ...string) ([]byte, error) { return r.run(nil, args...) }

func (r *repository) run(env []string, args ...string) ([]byte, error) {
	ctx, free := r.hold()
	defer free()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = r.root, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("git %s: %s", args[0], strings.TrimPrefix(strings.TrimSpace(stderr.String()), "fatal: "))
	}
	return out, err
}

// index returns the overlay that makes the work tree what the next commit is to be.
func (r *repository) index() (map[string][]byte, error) { return r.overlay("", "diff", "--name-only") }

// revision returns the overlay that makes the work tree what it was at rev; nil if rev is HEAD and there is no commit yet.
func (r *repository) revision(rev string) (map[string][]byte, error) {
	if _, err := r.git("rev-parse", "--quiet", "--verify", rev+"^{commit}"); err != nil {
		if _, unborn := r.git("symbolic-ref", "--quiet", "HEAD"); rev == "HEAD" && unborn == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("%s names no commit of this repository", rev)
	}
	return r.overlay(rev, "diff", "--name-only", rev)
}

// overlay returns what the files of rev hold that diff, a command of git, names, and that there are no others. An empty rev is the index.
func (r *repository) overlay(rev string, diff ...string) (map[string][]byte, error) {
	changed, err := r.git(slices.Concat(diff, []string{"-z", "--no-renames", "--no-ext-diff", "--ignore-submodules", "--no-relative", "--"})...)
	if err != nil {
		return nil, err
	}
	untracked, err := r.git("ls-files", "-z", "--others", "--exclude-standard", "--full-name", ":/")
	if err != nil {
		return nil, err
	}
	overlay := make(map[string][]byte)
	var names []string
	for name := range strings.SplitSeq(string(changed), "\x00") {
		if matters(name) {
			names = append(names, name)
		}
	}
	for name := range strings.SplitSeq(string(untracked), "\x00") {
		if matters(name) {
			overlay[r.file(name)] = nil
		}
	}
	return overlay, r.contents(rev, names, overlay)
}

// changedModules returns the folders of the modules of which the index has other Go files than the last commit: the nearest
// with a go.mod above each.
func (r *repository) changedModules() ([]string, error) {
	names, err := r.git("diff", "--cached", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules")
	if err != nil {
		return nil, err
	}
	var out []string
	for name := range strings.SplitSeq(string(names), "\x00") {
		if !matters(name) {
			continue
		}
		if dir := r.moduleOf(name); dir != "" && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out, nil
}

// moduleOf returns the folder of the module of the file that git calls name; empty if it is in none.
func (r *repository) moduleOf(name string) string {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		at := filepath.Join(r.root, filepath.FromSlash(dir))
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if dir == "." {
			return ""
		}
	}
}

// file returns the absolute name of the file that git calls name; below the folder by the name that the user knows that by, as the
// go command does.
func (r *repository) file(name string) string {
	file := filepath.Join(r.root, filepath.FromSlash(name))
	if below, err := filepath.Rel(resolve(r.dir), file); err == nil && filepath.IsLocal(below) {
		return filepath.Join(r.dir, below)
	}
	return file
}

// matters reports whether the go command reads the file that git calls name.
func matters(name string) bool {
	switch path.Base(name) {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt", config.Name:
		return true
	}
	return slices.Contains([]string{".go", ".s", ".c", ".h"}, path.Ext(name)) && !strings.Contains(name, "\n")
}

// contents puts what the named files hold at rev in overlay; nil for those that it does not have.
func (r *repository) contents(rev string, names []string, overlay map[string][]byte) error {
	if len(names) == 0 {
		return nil
	}
	ctx, free := r.hold()
	defer free()
	cmd := exec.CommandContext(ctx, "git", "cat-file", "--batch")
	cmd.Dir = r.root
	var asked strings.Builder
	for _, name := range names {
		fmt.Fprintf(&asked, "%s:%s\n", rev, name)
	}
	cmd.Stdin = strings.NewReader(asked.String())
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	answers := bufio.NewReader(bytes.NewReader(out))
	for _, name := range names {
		content, err := object(answers)
		if err != nil {
			return fmt.Errorf("git cat-file: %s: %w", name, err)
		}
		if len(content) == 0 && path.Ext(name) == ".go" {
			content = nil // only announced: git add -N
		}
		overlay[r.file(name)] = content
	}
	return nil
}

// object reads one answer of git cat-file; nil if there is no such object.
//
//	<name> <type> <size>\n<content>\n
//	<question> missing\n
func object(r *bufio.Reader) ([]byte, error) {
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(head, " missing\n") {
		return nil, nil
	}
	fields := strings.Fields(head)
	size, err := strconv.Atoi(fields[len(fields)-1])
	if err != nil || len(fields) != 3 {
		return nil, fmt.Errorf("unexpected answer %q", head)
	}
	content := make([]byte, size+1)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, err
	}
	return content[:size:size], nil
}
