package main

// This file answers check from what an earlier run kept, if all that decides the answer is the same. What is kept is what was found, before
// the gates and without its presentation: these are done each time. Commands that change files, or say how to, never take part.

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"mapmend/plan"
	"mapmend/plan/cache"
	"mapmend/plan/load"
)

// cacheEnv names the environment variable with the folder of the cache; "off" turns it off.
const cacheEnv = "MAPMEND_CACHE"

// answers returns the cache; nil without one.
func (inv *invocation) answers() *cache.Cache {
	dir := os.Getenv(cacheEnv)
	switch {
	case inv.noCache || dir == "off":
		return nil
	case dir != "":
		return cache.Open(inv.abs(dir))
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	return cache.Open(filepath.Join(user, "mapmend", "answers"))
}

// A question is what check is asked, with all that decides the answer. The nil question has no answer that is kept.
type question struct {
	inv    *invocation
	cfg    load.Config
	cache  *cache.Cache
	key    cache.Key
	inputs *load.Inputs
}

// question returns what is asked about the program that cfg loads; nil if there is no cache, or if it cannot be told what decides the answer.
//
// Besides the inputs of loading that is: the platforms, for each of which what is loaded is told by the inputs and its name; the tool itself, by the content of its executable; the options of the analysis, among them the
// configuration that inv has read; the evidence, by the names and the content of its files; and which libraries of forms the module cache has,
// without which a mend is refused. The gates and the format come after the answer.
func (inv *invocation) question(cfg load.Config) *question {
	q := &question{inv: inv, cfg: cfg, cache: inv.answers()}
	if q.cache == nil {
		return nil
	}
	proofs, err := inv.allEvidence()
	if err != nil {
		return nil // said when it is needed
	}
	tool, err := executable()
	if err == nil {
		q.inputs, err = cfg.Inputs(q.cache.Owns)
	}
	if err != nil {
		inv.stepf("the cache is not used: %v", err)
		return nil
	}
	asked, err := json.Marshal([]any{tool, q.inputs.Sum, inv.platforms, inv.options(), proofs.files, libraries(q.inputs.ModCache)})
	if err != nil {
		return nil
	}
	q.key = sha256.Sum256(asked)
	return q
}

// libraries returns the names of the folders in a module cache that have what code of a form is made of, in any version.
func libraries(modCache string) (names []string) {
	for _, form := range plan.Forms {
		lib := form.Requires()
		if lib == nil {
			continue
		}
		dir, base := filepath.Split(filepath.Join(modCache, filepath.FromSlash(lib.Path)))
		entries, _ := os.ReadDir(dir) // if there is none, it has none
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), base+"@") {
				names = append(names, filepath.Join(dir, e.Name()))
			}
		}
	}
	return names
}

// executable returns a hash of the running tool.
func executable() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// kept is an answer as it is kept: plain data.
type kept struct {
	Root     string
	Looked   []string // paths of the requested packages
	Plan     plan.Plan
	Unnamed  []string // of the plan, whose file has no place for it, and Measured
	Measured []string
}

// recall returns the plan that is kept, without mends, and the program that it is about, without its source; nil if there is none.
func (q *question) recall() (*program, *plan.Plan) {
	if q == nil {
		return nil, nil
	}
	data, ok := q.cache.Get(q.key)
	if !ok {
		return nil, nil
	}
	k := new(kept)
	if err := json.Unmarshal(data, k); err != nil {
		return nil, nil
	}
	prog := &load.Program{Root: k.Root}
	for _, path := range k.Looked {
		prog.Packages = append(prog.Packages, &load.Package{Path: path, Requested: true})
	}
	k.Plan.Unnamed, k.Plan.Measured = k.Unnamed, k.Measured
	return &program{Program: prog}, &k.Plan
}

// keep keeps p, the answer on prog, unless the inputs do not decide all of prog, something was written since the question was asked, or
// not all of p can be kept. That an answer cannot be kept is no error.
func (q *question) keep(prog *program, p *plan.Plan) {
	if q == nil {
		return
	}
	for _, b := range prog.builds {
		if err := q.inputs.Miss(b.Prog); err != nil {
			q.inv.stepf("the cache is not used: %v", err)
			return
		}
	}
	k := kept{Root: prog.Root, Plan: *p, Unnamed: p.Unnamed, Measured: p.Measured}
	k.Plan.Mends, k.Plan.Orders, k.Plan.Unnamed, k.Plan.Measured = nil, nil, nil, nil
	k.Looked = prog.looked()
	data, err := json.Marshal(k)
	if err != nil {
		return
	}
	again := kept{}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&again); err != nil || !reflect.DeepEqual(k, again) {
		return // such as a name that is no UTF-8
	}
	if later, err := q.cfg.Inputs(q.cache.Owns); err != nil || !q.inputs.Same(later) {
		return
	}
	_, free := q.inv.signals.hold() // what is begun is finished
	defer free()
	if err := q.cache.Put(q.key, data); err != nil {
		q.inv.stepf("the answer is not kept: %v", err)
	}
}

// answer returns the plan for the packages of the command line, without mends if it is recalled, and the program, then without its source. The
// plan is nil if there is none, and the code says why.
func (inv *invocation) answer() (*program, *plan.Plan, int) {
	start := time.Now()
	if err := inv.configure(inv.dir); err != nil {
		return nil, nil, inv.unconfigured(err)
	}
	q := inv.question(inv.loading(inv.dir, inv.args, inv.overlay))
	if prog, p := q.recall(); p != nil {
		if _, err := inv.recovered(prog.Root); err != nil {
			return nil, nil, inv.fail(err)
		}
		inv.stepf("nothing has changed since the last run; looked in %v", time.Since(start).Round(time.Millisecond))
		return prog, p, exitOK
	}
	prog, code := inv.load(inv.dir, inv.args)
	if prog == nil {
		return nil, nil, code
	}
	known := inv.recallSummaries("")
	p, err := inv.plan(prog, known.summaries())
	if err != nil {
		return nil, nil, inv.fail(err)
	}
	known.keep()
	q.keep(prog, p)
	return prog, p, code
}
