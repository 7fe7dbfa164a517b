package plan

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"mapmend/plan/access"
	"mapmend/plan/config"
	"mapmend/plan/load"
)

// This file notes what has no effect of what the configuration says of forms and of functions. What is about packages that are not loaded
// may have one when they are.

// matchesRequested reports whether pattern is about a map variable in a requested package.
func matchesRequested(pattern string, decls map[Var]declaration) bool {
	for v, decl := range decls {
		if decl.pkg.Requested && Match(pattern, v) && decl.isMap() {
			return true
		}
	}
	return false
}

// unusedForms returns the rows of forms that no variable gets its form of.
func (opt Options) unusedForms(prog *load.Program, decls map[Var]declaration) []Note {
	if opt.Config == nil || len(opt.Config.Forms) == 0 || !prog.Whole {
		return nil
	}
	first, named := make(map[int]bool), make(map[int]Var)
	for v, decl := range decls {
		if !decl.isMap() {
			continue
		}
		first[opt.formRow(v)] = true
		for i, row := range opt.Config.Forms {
			if old, ok := named[i]; Match(row.Variable, v) && (!ok || v.String() < old.String()) {
				named[i] = v
			}
		}
	}
	var out []Note
	for i, row := range opt.Config.Forms {
		v, ok := named[i]
		switch {
		case first[i]:
		case ok:
			before := opt.Config.Forms[opt.formRow(v)]
			out = append(out, Note{opt.configPos(prog, row.Place), fmt.Sprintf("forms has no effect on %s: line %d is about the same", row.Variable, before.Line)})
		default:
			out = append(out, Note{opt.configPos(prog, row.Place), fmt.Sprintf("forms has no effect: there is no map variable %s", row.Variable)})
		}
	}
	return out
}

// unusedCalls returns the rows about functions, interfaces and types that do not exist, or are not what the row says.
func (opt Options) unusedCalls(prog *load.Program) []Note {
	if opt.Config == nil || len(opt.Config.Calls) == 0 {
		return nil
	}
	pkgs := typesOf(prog)
	var out []Note
	for _, call := range opt.Config.Calls {
		if why := amiss(pkgs, call, prog.Whole); why != "" {
			out = append(out, Note{opt.configPos(prog, call.Place), call.Section + " has no effect: " + why})
		}
	}
	return out
}

// typesOf returns the packages of prog and those that they import, directly or not, by path. The package of an external test has the path
// of its own. A broken one, of which not all is known, is nil.
func typesOf(prog *load.Program) map[string]*types.Package {
	out := make(map[string]*types.Package)
	var visit func(pkg *types.Package)
	visit = func(pkg *types.Package) {
		if _, seen := out[pkg.Path()]; seen {
			return
		}
		out[pkg.Path()] = pkg
		for _, imp := range pkg.Imports() {
			visit(imp)
		}
	}
	for _, pkg := range prog.Packages {
		if pkg.Broken || pkg.Types == nil {
			out[pkg.Path] = nil
			continue
		}
		out[pkg.Path] = pkg.Types
	}
	for _, pkg := range prog.Packages {
		if !pkg.Broken && pkg.Types != nil {
			for _, imp := range pkg.Types.Imports() {
				visit(imp)
			}
		}
	}
	return out
}

// amiss returns why call is about nothing in pkgs, which are all that there are if whole is set; empty if it is not known to be.
func amiss(pkgs map[string]*types.Package, call config.Call, whole bool) string {
	path, rest := splitName(pkgs, call.Name)
	pkg, ok := pkgs[path]
	switch {
	case !ok && whole:
		return "no package here has or imports " + call.Name
	case pkg == nil:
		return ""
	}
	parts := strings.Split(rest, ".")
	obj := pkg.Scope().Lookup(parts[0])
	if obj == nil || len(parts) > 2 {
		return fmt.Sprintf("there is no %s in %s", rest, path)
	}
	switch call.What {
	case "interface":
		return amissInterface(obj, call)
	case "type":
		if _, ok := obj.Type().Underlying().(*types.Signature); !ok || !isType(obj) || len(parts) > 1 {
			return call.Name + " is no function type"
		}
		return ""
	}
	if len(parts) == 2 {
		if !isType(obj) {
			return fmt.Sprintf("there is no %s in %s", rest, path)
		}
		obj, _, _ = types.LookupFieldOrMethod(obj.Type(), true, pkg, parts[1])
	}
	return amissFunction(obj, call)
}

func isType(obj types.Object) bool {
	_, ok := obj.(*types.TypeName)
	return ok
}

// splitName returns the import path in name and the rest; the longest path that there is, or what a name looks like.
func splitName(pkgs map[string]*types.Package, name string) (path, rest string) {
	slash := strings.LastIndexByte(name, '/') + 1
	for i := len(name) - 1; i >= slash; i-- {
		if name[i] != '.' {
			continue
		}
		path, rest = name[:i], name[i+1:]
		if _, ok := pkgs[path]; ok {
			break
		}
	}
	return path, rest
}

// amissFunction is amiss for the function that is obj, or nil.
func amissFunction(obj types.Object, call config.Call) string {
	fn, ok := obj.(*types.Func)
	if !ok {
		return call.Name + " is no function"
	}
	if path, name := access.SplitKey(access.ObjectKey(fn)); path+"."+name != call.Name {
		return call.Name + " has the name " + path + "." + name
	}
	switch params := fn.Signature().Params(); {
	case call.Argument > params.Len() && !fn.Signature().Variadic():
		return fmt.Sprintf("%s has no argument %d", call.Name, call.Argument)
	case params.Len() == 0 && call.Section != "serves":
		return call.Name + " is not given anything"
	}
	return ""
}

// amissInterface is amiss for the interface that is obj.
func amissInterface(obj types.Object, call config.Call) string {
	iface, ok := obj.Type().Underlying().(*types.Interface)
	if !ok || !isType(obj) {
		return call.Name + " is no interface"
	}
	for _, name := range call.Methods {
		if !slices.ContainsFunc(slices.Collect(iface.Methods()), func(m *types.Func) bool { return m.Name() == name }) {
			return fmt.Sprintf("%s has no method %s", call.Name, name)
		}
	}
	return ""
}
