package rewrite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStateFolder compares with what git says.
func TestStateFolder(t *testing.T) {
	t.Parallel()
	noCache := func() (string, error) { return "", errors.New("no cache") }
	top, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	git := func(dir string, args ...string) string {
		t.Helper()
		args = append([]string{"-c", "user.name=x", "-c", "user.email=x", "-c", "protocol.file.allow=always"}, args...)
		return strings.TrimSpace(command(t, filepath.Join(top, dir), nil, "git", args...))
	}
	git("", "init", "-q", "plain")
	git("plain", "commit", "-q", "--allow-empty", "-m", "x")
	git("plain", "worktree", "add", "-q", "../linked")
	git("plain", "submodule", "add", "-q", "../plain", "module")
	git("", "init", "-q", "--separate-git-dir", "elsewhere", "separate")
	mustWrite(t, filepath.Join(top, "plain", "notgit", ".git", "config"), "a folder that only has the name")
	mustWrite(t, filepath.Join(top, "plain", "broken", ".git"), "gitdir: nowhere\n")
	mustWrite(t, filepath.Join(top, "plain", "other", ".git"), "../../elsewhere\n")
	seen := make(map[string]string)
	for _, dir := range []string{"plain", "plain/sub", "linked", "plain/module", "separate", "separate/sub", "plain/notgit"} {
		check(t, os.MkdirAll(filepath.Join(top, dir), 0o777))
		_, got, err := stateFolder(filepath.Join(top, dir), noCache)
		check(t, err)
		want := filepath.Join(git(dir, "rev-parse", "--absolute-git-dir"), "mapmend")
		if filepath.Dir(got) != want {
			t.Errorf("%s: state in %s, want %s", dir, filepath.Dir(got), want)
		}
		if seen[got] != "" {
			t.Errorf("%s and %s share %s", dir, seen[got], got)
		}
		seen[got] = dir
	}
	for _, dir := range []string{"plain/broken", "plain/other"} {
		_, got, err := stateFolder(filepath.Join(top, dir), noCache)
		check(t, err)
		if want := filepath.Join(top, "plain", ".git", "mapmend"); filepath.Dir(got) != want {
			t.Errorf("%s: state in %s, want %s", dir, filepath.Dir(got), want)
		}
	}
}

func TestStateFolderOutsideGit(t *testing.T) {
	t.Parallel()
	top, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	if _, gitDir := findGitDir(top); gitDir != "" {
		t.Skip("the temporary folder lies in a repository")
	}
	cache := func() (string, error) { return filepath.Join(top, "cache"), nil }
	check(t, os.MkdirAll(filepath.Join(top, "a", "b"), 0o777))
	check(t, os.Symlink("a", filepath.Join(top, "link")))

	abs, a, err := stateFolder(filepath.Join(top, "a"), cache)
	check(t, err)
	if abs != filepath.Join(top, "a") || filepath.Dir(a) != filepath.Join(top, "cache", "mapmend") {
		t.Errorf("root %s, state %s", abs, a)
	}
	_, b, err := stateFolder(filepath.Join(top, "a", "b"), cache)
	check(t, err)
	_, link, err := stateFolder(filepath.Join(top, "link"), cache)
	check(t, err)
	if a == b || a != link {
		t.Errorf("states %s, below it %s, by a link %s", a, b, link)
	}
	_, _, err = stateFolder(top, func() (string, error) { return "", errors.New("no home") })
	wantError(t, err, "cannot find a folder for the journal: no home")
	_, _, err = stateFolder(filepath.Join(top, "none"), cache)
	wantError(t, err, "none")
}

// TestBadJournal has a journal that nobody should act on.
func TestBadJournal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, journal, want string }{
		{"not json", "{", "unexpected end of JSON input"},
		{"another schema", `{"schema": "mapmend/run/v2"}`, "written by another version of mapmend"},
		{"outside", `{"schema": "mapmend/run/v1", "files": [{"file": "../x", "temp": ".mapmend-x"}]}`, `not a file below the root: "../x"`},
		{"temp elsewhere", `{"schema": "mapmend/run/v1", "files": [{"file": "x", "temp": ".mapmend-/../../x"}]}`, `not a file below the root: "x"`},
		{"temp of another", `{"schema": "mapmend/run/v1", "files": [{"file": "x", "temp": "a.go"}]}`, `not a file below the root: "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			_, state, err := stateFolder(root, os.UserCacheDir)
			check(t, err)
			mustWrite(t, filepath.Join(state, "journal"), test.journal)
			_, err = Recover(root)
			wantError(t, err, test.want)
			wantError(t, Commit(root, edits()), test.want)
			wantError(t, undo(root), test.want)
			wantTree(t, root, before)
		})
	}
}
