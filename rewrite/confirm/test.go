package confirm

// This file writes the test.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/format"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"mapmend/plan"
	"mapmend/plan/load"
)

// Test is a test that may show a race.
type Test struct {
	Package string // import path
	Name    string // of the function
	File    string // slash-separated, relative to the root of the program
	Source  []byte
	First   string // the functions that it calls, as people read them
	Second  string
}

// Tests returns tests for f, a finding on prog, the most promising first, or an error that says why there is none.
func Tests(prog *load.Program, f plan.Finding) ([]Test, error) {
	pkg := prog.Package(f.Package)
	if pkg == nil || pkg.Broken {
		return nil, fmt.Errorf("package %s is not loaded", f.Package)
	}
	b := &builder{prog: prog, pkg: pkg, finding: f}
	var out []Test
	why := errors.New("no two functions use it so that they conflict")
	list := pairs(f)
	for _, fill := range []bool{false, true} { // an empty map may be too little for the race
		for i, p := range list {
			t, err := b.test(p, fill)
			switch {
			case err == nil:
				out = append(out, *t)
			case i == 0:
				why = err
			}
		}
	}
	if len(out) > 0 {
		why = nil
	}
	return out, why
}

// pairs returns pairs of functions with conflicting uses, of which one has a problem, or what is to be called to get there, without repetition:
// first those that the finding says to run at the same time. A function beside itself is among them only if the finding says so.
func pairs(f plan.Finding) [][2]string {
	var out [][2]string
	add := func(a, b string) {
		if p := [2]string{enclosing(a), enclosing(b)}; !slices.Contains(out, p) && !slices.Contains(out, [2]string{p[1], p[0]}) {
			out = append(out, p)
		}
	}
	if len(f.Chains) == 2 {
		a, b := f.Chains[0], f.Chains[1]
		for _, x := range callees(f, a) {
			for _, y := range callees(f, b) {
				add(x, y)
			}
		}
		add(a[0], b[0])
	}
	for _, a := range f.Sites {
		for _, b := range f.Sites {
			if !a.Problem || !a.Writes() && !b.Writes() {
				continue
			}
			for _, x := range a.Callees() {
				for _, y := range b.Callees() {
					if enclosing(x) != enclosing(y) {
						add(x, y)
					}
				}
			}
		}
	}
	return out
}

// elsewhere stands between the names of a function of another package and of that package: see [plan.Site].
const elsewhere = " of "

// callees returns the functions of chain, which leads to a use, that are to be called to get there.
func callees(f plan.Finding, chain []string) []string {
	last := chain[len(chain)-1]
	i := slices.IndexFunc(f.Sites, func(s plan.Site) bool { return s.Function == last })
	if i < 0 {
		return []string{last}
	}
	return slices.DeleteFunc(slices.Clone(f.Sites[i].Callees()), func(name string) bool {
		name, _, _ = strings.Cut(name, elsewhere)
		return !slices.Contains(chain, name)
	})
}

var literal = regexp.MustCompile(`(\.func[0-9.]*|\$[0-9$]*)+$`)

// enclosing returns the declared function that the function literal name stands in, or name itself.
func enclosing(name string) string { return literal.ReplaceAllString(name, "") }

// builder writes the tests of one finding.
type builder struct {
	prog    *load.Program
	pkg     *load.Package
	finding plan.Finding
	owner   types.Type // nil for a package variable or a local
	x       string     // the variable that holds the object
	make    string     // source that makes it
	maker   *maker
}

// object finds how to make the object that the functions of pair are called on: one of the owner, or of the type whose methods use
// a package variable. If there is none of these, functions are called that need none.
func (b *builder) object(pair [2]string) error {
	b.maker = newMaker(b.pkg.Types)
	b.x, b.make, b.owner = b.maker.local("x"), "", nil
	name := b.finding.Owner
	obj, ok := b.pkg.Types.Scope().Lookup(name).(*types.TypeName)
	if !ok {
		name = cmp.Or(receiver(pair[0]), receiver(pair[1]))
		if obj, ok = b.pkg.Types.Scope().Lookup(name).(*types.TypeName); !ok {
			return nil
		}
	}
	owner := obj.Type()
	if n, ok := owner.(*types.Named); ok && n.TypeParams().Len() > 0 {
		inst, err := instantiated(n)
		if err != nil {
			return err
		}
		owner = inst
	}
	b.owner, b.maker.object, b.maker.name = owner, owner, b.x
	for _, fn := range b.constructors() {
		if b.make, ok = b.construct(fn); ok {
			return nil
		}
	}
	if b.make, ok = b.literal(); ok {
		return nil
	}
	return fmt.Errorf("no way is seen to make a %s: no function that returns one can be called with made-up values", name)
}

// receiver returns the type of whose methods name is one; empty if it is none.
func receiver(name string) string {
	recv, _, ok := strings.Cut(strings.NewReplacer("(*", "", ")", "").Replace(name), ".")
	if !ok {
		return ""
	}
	return recv
}

// instantiated returns the generic type n with string for what must be comparable or may be anything, and int where string will not do.
func instantiated(n *types.Named) (types.Type, error) {
	var args []types.Type
	for p := range n.TypeParams().TypeParams() {
		c := p.Constraint().Underlying().(*types.Interface)
		i := slices.IndexFunc(types.Typ, func(t *types.Basic) bool {
			return (t.Kind() == types.String || t.Kind() == types.Int || t.Kind() == types.Float64) && types.Satisfies(t, c)
		})
		if types.Satisfies(types.Typ[types.String], c) {
			i = int(types.String)
		}
		if i < 0 {
			return nil, fmt.Errorf("no type is known to stand for the type parameter %s", p)
		}
		args = append(args, types.Typ[i])
	}
	return types.Instantiate(nil, n, args, false)
}

// constructors returns the functions of the package that return the owner first, those with the fewest parameters first.
func (b *builder) constructors() []*types.Func {
	var out []*types.Func
	for _, name := range b.pkg.Types.Scope().Names() {
		fn, ok := b.pkg.Types.Scope().Lookup(name).(*types.Func)
		if !ok || fn.Signature().Results().Len() == 0 || strings.HasPrefix(name, "Test") || b.isTest(fn) {
			continue
		}
		if b.isOwner(fn.Signature().Results().At(0).Type()) {
			out = append(out, fn)
		}
	}
	slices.SortStableFunc(out, func(a, b *types.Func) int { return a.Signature().Params().Len() - b.Signature().Params().Len() })
	return out
}

// isTest reports whether fn is declared in a test.
func (b *builder) isTest(fn *types.Func) bool {
	f := b.prog.File(fn.Pos())
	return f == nil || f.Test
}

// isOwner reports whether t is the owner or a pointer to it, with any type arguments.
func (b *builder) isOwner(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	o, _ := b.owner.(*types.Named)
	return ok && o != nil && n.Obj() == o.Obj()
}

// construct returns the statements that make x by calling fn.
func (b *builder) construct(fn *types.Func) (string, bool) {
	sig := fn.Signature()
	call := fn.Name()
	if sig.TypeParams().Len() > 0 {
		o, ok := b.owner.(*types.Named)
		if !ok || o.TypeArgs().Len() != sig.TypeParams().Len() {
			return "", false
		}
		var list []string
		for arg := range o.TypeArgs().Types() {
			list = append(list, b.maker.typeString(arg))
		}
		inst, err := types.Instantiate(nil, sig, slices.Collect(o.TypeArgs().Types()), true)
		if err != nil {
			return "", false
		}
		sig, call = inst.(*types.Signature), call+"["+strings.Join(list, ", ")+"]"
	}
	args, ok := b.maker.arguments(sig)
	if !ok {
		return "", false
	}
	_, pointer := types.Unalias(sig.Results().At(0).Type()).(*types.Pointer)
	x := b.x
	if !pointer {
		x = b.maker.local("v")
	}
	results := []string{x}
	check := ""
	for i := 1; i < sig.Results().Len(); i++ {
		if r := sig.Results().At(i).Type(); i == sig.Results().Len()-1 && r.String() == "error" {
			err := b.maker.local("err")
			results = append(results, err)
			check = fmt.Sprintf("\nif %[1]s != nil {\n%s.Skip(%[1]s)\n}", err, b.maker.local("t"))
		} else {
			results = append(results, "_")
		}
	}
	src := fmt.Sprintf("%s := %s(%s)%s", strings.Join(results, ", "), call, args, check)
	if !pointer {
		src += "\n" + b.x + " := &" + x
	}
	return src, true
}

// literal returns the statement that makes x as a composite literal, in which the maps are made.
func (b *builder) literal() (string, bool) {
	s, ok := b.owner.Underlying().(*types.Struct)
	if !ok || !b.maker.canName(b.owner) {
		return "", false
	}
	var fields []string
	for f := range s.Fields() {
		if f.Name() == "_" {
			continue
		}
		switch u := f.Type().Underlying().(type) {
		case *types.Map:
			fields = append(fields, f.Name()+": make("+b.maker.typeString(f.Type())+")")
		case *types.Pointer:
			if v, ok := b.maker.value(u); ok {
				fields = append(fields, f.Name()+": "+v)
			}
		}
	}
	return b.x + " := &" + b.maker.typeString(b.owner) + "{" + strings.Join(fields, ", ") + "}", true
}

// call returns the source of a call of the function name, on x if it is a method.
func (b *builder) call(name string) (string, error) {
	scope := b.pkg.Types.Scope()
	var fn *types.Func
	target := ""
	if strings.Contains(name, elsewhere) {
		return "", fmt.Errorf("a lock is held by %s, which the test does not call, since it is another package", name)
	}
	if recv := receiver(name); recv != "" {
		owner, _ := b.owner.(*types.Named)
		if owner == nil || owner.Obj().Name() != recv {
			return "", fmt.Errorf("%s is a method of another type than what the map belongs to", name)
		}
		method := name[strings.LastIndexByte(name, '.')+1:]
		obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(b.owner), true, b.pkg.Types, method)
		fn, _ = obj.(*types.Func)
		target, b.maker.used = b.x+"."+method, true
	} else if fn, _ = scope.Lookup(name).(*types.Func); fn != nil {
		if fn.Signature().TypeParams().Len() > 0 || name == "main" || name == "init" {
			return "", fmt.Errorf("%s cannot be called by a test", name)
		}
		target = name
	}
	if fn == nil {
		return "", fmt.Errorf("no function %s is found", name)
	}
	args, ok := b.maker.arguments(fn.Signature())
	if !ok {
		return "", fmt.Errorf("%s cannot be called with made-up values", name)
	}
	return target + "(" + args + ")", nil
}

// fill returns calls of the functions that store in the map, or nothing if none can be called.
func (b *builder) fill() string {
	var calls []string
	for _, s := range b.finding.Sites {
		if s.Op != "store" {
			continue
		}
		if call, err := b.call(enclosing(s.Function)); err == nil && !slices.Contains(calls, call) {
			calls = append(calls, call)
		}
	}
	return strings.Join(calls, "\n")
}

// calls returns the calls of the functions of pair, and with fill what is called before them.
func (b *builder) calls(pair [2]string, fill bool) (first, second, before string, err error) {
	b.maker.made = b.owner != nil
	if first, err = b.call(pair[0]); err != nil {
		return "", "", "", err
	}
	if second, err = b.call(pair[1]); err != nil {
		return "", "", "", err
	}
	if fill {
		if before = b.fill(); before == "" {
			return "", "", "", errors.New("nothing that stores in it can be called")
		}
		before = "\n" + before
	}
	return first, second, before, nil
}

// test writes the test of one pair. With fill, what stores in the map is called before.
func (b *builder) test(pair [2]string, fill bool) (*Test, error) {
	if err := b.object(pair); err != nil {
		return nil, err
	}
	first, second, before, err := b.calls(pair, fill)
	if err == nil && !b.maker.used {
		b.maker, b.make, b.owner = newMaker(b.pkg.Types), "", nil // without what the object needs
		first, second, before, err = b.calls(pair, fill)
	}
	if err != nil {
		return nil, err
	}
	construct := b.make + before
	m := b.maker
	var src bytes.Buffer
	testing, time, system := m.std("testing"), m.std("time"), m.std("os")
	name := m.local("TestMapmendConfirm")
	start, done, f, i, deadline, t := m.local("start"), m.local("done"), m.local("f"), m.local("i"), m.local("deadline"), m.local("t")
	fmt.Fprintf(&src, "package %s\n\nimport (\n", b.pkg.Name)
	for _, p := range slices.Sorted(maps.Keys(m.imports)) {
		fmt.Fprintf(&src, "\t%s %q\n", m.imports[p], p)
	}
	fmt.Fprintf(&src, ")\n\n// %s calls %s and %s at the same time, on one object. Run it with -race.\n", name, pair[0], pair[1])
	fmt.Fprintf(&src, "func %s(%s *%s.T) {\n", name, t, testing)
	failed := m.local("err")
	fmt.Fprintf(&src, "if %s := %s.Chdir(%s.TempDir()); %[1]s != nil { // for files with made-up names\n%[3]s.Fatal(%[1]s)\n}\n%[4]s\n", failed, system, t, construct)
	fmt.Fprintf(&src, "%s, %s := make(chan struct{}), make(chan struct{}, 2)\n", start, done)
	fmt.Fprintf(&src, "for _, %s := range []func(){\nfunc() { %s },\nfunc() { %s },\n} {\n", f, first, second)
	fmt.Fprintf(&src, "%[1]s := %[1]s\ngo func() {\n<-%[2]s\nfor %[3]s := 0; %[3]s < 100; %[3]s++ {\n%[1]s()\n}\n%[4]s <- struct{}{}\n}()\n}\n", f, start, i, done)
	fmt.Fprintf(&src, "close(%[1]s)\n%[2]s := %[3]s.After(3 * %[3]s.Second) // one may never return\n", start, deadline, time)
	fmt.Fprintf(&src, "for %[1]s := 0; %[1]s < 2; %[1]s++ {\nselect {\ncase <-%[2]s:\ncase <-%[3]s:\nreturn\n}\n}\n}\n", i, done, deadline)
	out, err := format.Source(src.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the test is no Go: %w", err)
	}
	return &Test{b.pkg.Path, name, path.Join(path.Dir(b.pkg.Files[0].Name), "mapmend_confirm_test.go"), out, pair[0], pair[1]}, nil
}
