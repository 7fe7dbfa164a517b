package main

// This file asks git what files hold in another state of the repository, as an overlay over the files of the work tree.

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// repository is a git repository, seen from a folder in its work tree.
type repository struct {
	dir  string // absolute
	root string // of the work tree, absolute; by the name that the user knows it by
}

func repositoryAt(dir string) (*repository, error) {
	r := &repository{dir: dir}
	up, err := r.git("rev-parse", "--show-cdup")
	if err != nil {
		return nil, err
	}
	r.root = filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(string(up), "\n")))
	return r, nil
}

// git runs git in the folder and returns what it prints.
func (r *repository) git(args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
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

// file returns the absolute name of the file that git calls name.
func (r *repository) file(name string) string { return filepath.Join(r.root, filepath.FromSlash(name)) }

// matters reports whether the go command reads the file that git calls name.
func matters(name string) bool {
	switch path.Base(name) {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	return slices.Contains([]string{".go", ".s", ".c", ".h"}, path.Ext(name)) && !strings.Contains(name, "\n")
}

// contents puts what the named files hold at rev in overlay; nil for those that it does not have.
func (r *repository) contents(rev string, names []string, overlay map[string][]byte) error {
	if len(names) == 0 {
		return nil
	}
	cmd := exec.Command("git", "cat-file", "--batch")
	cmd.Dir = r.dir
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
