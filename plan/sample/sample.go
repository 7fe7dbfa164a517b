package sample

import (
	"go/types"
	"slices"
	"strconv"
	"strings"

	"mapmend/plan/model"
)

// This file writes values, type by type.

// Many is the Count of a type with more values than anybody makes.
const Many = 1 << 16

// A Sample is how values of one type are made.
type Sample struct {
	Make  string   // an expression of the int i
	Count int      // for each i from 0 to Count-1 it is another value; 1 if no two can be told apart
	Path  []string // leads from a value to the part of it that is compared: ".f", "[0]", and "[]" for the first of a slice, if there is one
	Same  Same     // how that is compared
	Func  string   // of ByCall: the type of such a function
	Call  string   // and the arguments for it
}

// Same is how two values are compared.
type Same string

const (
	ByNothing Same = ""       // they are not: no two can be told apart
	ByEqual   Same = "equal"  // a == b
	ByLength  Same = "length" // len(a) == len(b)
	ByCall    Same = "call"   // both are nil, or panic with the same number
)

// A Double is a struct type that embeds an interface, and so is one. Its field number tells its values apart.
type Double struct {
	Name  string `json:"name"`
	Embed string `json:"embed"`           // the interface, as it is embedded
	Alias string `json:"alias,omitempty"` // what Embed is an alias of, if that has no name; else empty
}

// A Maker writes values as the source of a file of one package. Of what it writes it notes the doubles.
type Maker struct {
	Pkg     *types.Package
	Qualify types.Qualifier           // names packages, and notes that they are imported
	Knows   func(*types.Package) bool // reports whether the file may import it
	Double  string                    // the name of the first double, and of others with a number behind
	Doubles []Double                  // those that were needed
	doubles map[string]string         // the names of Doubles by their interfaces
	std     map[string]*types.Package // see imported
}

// Sample returns how values of type t are made.
func (m *Maker) Sample(t types.Type) Sample {
	v := m.value(t, nil)
	if v.Count < 2 {
		return Sample{Make: zero(m.Type(t)), Count: 1}
	}
	return v
}

// Type returns t as the file can write it.
func (m *Maker) Type(t types.Type) string { return types.TypeString(t, m.Qualify) }

func zero(typ string) string { return "*new(" + typ + ")" }

// value writes values of type t, which stand in values of the types around. The zero Sample is: no two can be told apart.
func (m *Maker) value(t types.Type, around []types.Type) Sample {
	const deepest = 6
	if len(around) > deepest || slices.ContainsFunc(around, func(u types.Type) bool { return types.Identical(t, u) }) || !m.canName(t) {
		return Sample{}
	}
	around = append(slices.Clip(around), t)
	v := m.known(t)
	if v.Count == 0 {
		v = m.kind(t, around)
	}
	if types.Comparable(t) {
		v.Path, v.Same, v.Func, v.Call = nil, ByEqual, "", ""
	}
	return v.limited(t)
}

// kind writes values by what t is underneath.
func (m *Maker) kind(t types.Type, around []types.Type) Sample {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return m.basic(t, u)
	case *types.Pointer:
		if sizes.Sizeof(u.Elem()) > 0 { // all pointers to what has no size may be one
			return Sample{Make: "new(" + m.Type(u.Elem()) + ")", Count: Many}
		}
	case *types.Struct:
		return m.structure(t, u, around)
	case *types.Array:
		if v := m.value(u.Elem(), around); u.Len() > 0 && v.Count > 1 {
			return v.in(m.Type(t)+"{", "}", "[0]")
		}
	case *types.Slice:
		if v := m.value(u.Elem(), around); v.Count > 1 {
			return v.in(m.Type(t)+"{", "}", "[]")
		}
		return Sample{Make: "make(" + m.Type(t) + ", i+1)", Count: 64, Same: ByLength}
	case *types.Chan:
		return Sample{Make: "make(" + m.Type(t) + ")", Count: Many}
	case *types.Interface:
		return m.iface(t, u)
	case *types.Signature:
		return m.function(u)
	}
	return Sample{}
}

// in returns v as a part, at step, of another value, which stands between before and after.
func (v Sample) in(before, after, step string) Sample {
	v.Make = before + v.Make + after
	v.Path = append([]string{step}, v.Path...)
	return v
}

// limited returns v, or fewer of its values if they take up too much memory.
func (v Sample) limited(t types.Type) Sample {
	const most = 64 << 20
	size := sizes.Sizeof(t)
	if p, ok := t.Underlying().(*types.Pointer); ok {
		size = sizes.Sizeof(p.Elem())
	}
	if size > 0 && v.Count > 0 {
		v.Count = int(min(int64(v.Count), max(most/size, 1)))
	}
	return v
}

var sizes = types.SizesFor("gc", "amd64")

// known writes values of a type of the standard library whose fields are its own.
func (m *Maker) known(t types.Type) Sample {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return Sample{}
	}
	call, ok := model.Made(named.Obj().Pkg().Path() + "." + named.Obj().Name())
	if !ok {
		return Sample{}
	}
	return Sample{Make: strings.ReplaceAll(call, "$", m.qualified(named.Obj().Pkg())), Count: 256}
}

// qualified returns what stands before a name of pkg.
func (m *Maker) qualified(pkg *types.Package) string {
	if name := m.Qualify(pkg); name != "" {
		return name + "."
	}
	return ""
}

// imported names a package of the standard library whose path is one element.
func (m *Maker) imported(path string) string {
	if m.std == nil {
		m.std = make(map[string]*types.Package)
	}
	if m.std[path] == nil {
		m.std[path] = types.NewPackage(path, path)
	}
	return m.Qualify(m.std[path])
}

func (m *Maker) basic(t types.Type, b *types.Basic) Sample {
	expr, typ, count := "i", types.Int, Many
	switch info := b.Info(); {
	case b.Kind() == types.UnsafePointer:
		return Sample{}
	case info&types.IsString != 0:
		expr, typ = m.imported("strconv")+".Itoa(i)", types.String
	case info&types.IsBoolean != 0:
		expr, typ, count = "i%2 == 1", types.Bool, 2
	case info&types.IsComplex != 0:
		expr, typ = "complex(float64(i), 0)", types.Complex128
	case b.Kind() == types.Int8:
		count = 1 << 7
	case b.Kind() == types.Uint8:
		count = 1 << 8
	case b.Kind() == types.Int16:
		count = 1 << 15
	}
	if !types.Identical(t, types.Typ[typ]) {
		expr = m.Type(t) + "(" + expr + ")"
	}
	return Sample{Make: expr, Count: count}
}

// structure writes structs that differ in one field: the first with values enough, and only if there is no other in a function.
// A field that is a map is left alone: it is a map variable, which may get another type.
func (m *Maker) structure(t types.Type, s *types.Struct, around []types.Type) Sample {
	const enough = 1024
	var name string
	var best Sample
	for f := range s.Fields() {
		if f.Name() == "_" || !f.Exported() && f.Pkg() != m.Pkg {
			continue
		}
		v := m.value(f.Type(), around)
		if v.Count > 1 && best.Same == ByCall && v.Same != ByCall || v.Count > best.Count && (best.Count == 0 || v.Same != ByCall) {
			name, best = f.Name(), v
		}
		if best.Count >= enough && best.Same != ByCall {
			break
		}
	}
	if best.Count < 2 {
		return Sample{}
	}
	return best.in(m.Type(t)+"{"+name+": ", "}", "."+name)
}

// iface writes values of an interface type: an int or an error where that will do, or a double.
func (m *Maker) iface(t types.Type, u *types.Interface) Sample {
	switch {
	case u.Empty():
		return Sample{Make: "i", Count: Many}
	case types.Identical(u, types.Universe.Lookup("error").Type().Underlying()):
		return Sample{Make: m.imported("errors") + ".New(" + m.imported("strconv") + ".Itoa(i))", Count: Many}
	}
	typ := m.Type(t)
	if m.doubles[typ] == "" {
		d := Double{Name: m.Double, Embed: typ}
		if n := len(m.Doubles); n > 0 {
			d.Name += strconv.Itoa(n + 1)
		}
		name := ""
		if n, ok := t.(interface{ Obj() *types.TypeName }); ok { // *types.Alias, *types.Named
			name = n.Obj().Name()
		} else {
			name = d.Name + "Of"
			d.Embed, d.Alias = name, typ
		}
		for fn := range u.Methods() {
			if fn.Name() == name || fn.Name() == "number" {
				return Sample{} // the field would hide it
			}
		}
		if m.doubles == nil {
			m.doubles = make(map[string]string)
		}
		m.doubles[typ] = d.Name
		m.Doubles = append(m.Doubles, d)
	}
	return Sample{Make: m.doubles[typ] + "{number: i}", Count: Many}
}

// function writes functions, which nothing but a call tells apart.
func (m *Maker) function(sig *types.Signature) Sample {
	var params, results, args []string
	for i := range sig.Params().Len() {
		t := sig.Params().At(i).Type()
		if sig.Variadic() && i == sig.Params().Len()-1 {
			params = append(params, "..."+m.Type(t.(*types.Slice).Elem()))
			continue
		}
		params, args = append(params, m.Type(t)), append(args, zero(m.Type(t)))
	}
	for r := range sig.Results().Variables() {
		results = append(results, m.Type(r.Type()))
	}
	head := "func(" + strings.Join(params, ", ") + ")"
	switch len(results) {
	case 0:
	case 1:
		head += " " + results[0]
	default:
		head += " (" + strings.Join(results, ", ") + ")"
	}
	return Sample{Make: head + " { panic(i) }", Count: Many, Same: ByCall, Func: head, Call: strings.Join(args, ", ")}
}

// canName reports whether the file can write t.
func (m *Maker) canName(t types.Type) bool { return CanName(t, m.Pkg, m.Knows) }

// CanName reports whether a file of pkg can write the type t. knows reports whether it may import another package. A type parameter
// has no name there.
func CanName(t types.Type, pkg *types.Package, knows func(*types.Package) bool) bool {
	can := func(t types.Type) bool { return CanName(t, pkg, knows) }
	switch t := t.(type) {
	case interface { // *types.Alias, *types.Named
		Obj() *types.TypeName
		TypeArgs() *types.TypeList
	}:
		obj := t.Obj()
		if in := obj.Pkg(); in != nil && (in != pkg && (!obj.Exported() || !knows(in)) || obj.Parent() != in.Scope()) {
			return false
		}
		for arg := range t.TypeArgs().Types() {
			if !can(arg) {
				return false
			}
		}
	case *types.Pointer:
		return can(t.Elem())
	case *types.Slice:
		return can(t.Elem())
	case *types.Array:
		return can(t.Elem())
	case *types.Chan:
		return can(t.Elem())
	case *types.Map:
		return can(t.Key()) && can(t.Elem())
	case *types.TypeParam:
		return false
	case *types.Signature:
		return can(t.Params()) && can(t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			if !can(v.Type()) {
				return false
			}
		}
	case *types.Struct:
		for f := range t.Fields() {
			if !f.Exported() && f.Pkg() != pkg || !can(f.Type()) {
				return false
			}
		}
	case *types.Interface:
		for fn := range t.Methods() {
			if !fn.Exported() && fn.Pkg() != pkg || !can(fn.Type()) {
				return false
			}
		}
	}
	return true
}
