package model

// This file knows how values of types are made whose fields nobody else can set.

// made has for a type of the standard library an expression of an int i from 0 to 255 that is another value for each, in which
// $ stands for its package.
var made = map[string]string{
	"time.Time":          "$Unix(int64(i), 0)",
	"net/netip.Addr":     "$AddrFrom4([4]byte{3: byte(i)})",
	"net/netip.AddrPort": "$AddrPortFrom($AddrFrom4([4]byte{3: byte(i)}), 80)",
	"net/netip.Prefix":   "$PrefixFrom($AddrFrom4([4]byte{3: byte(i)}), 32)",
}

// Made returns how values of the named type, "time.Time", are made, and whether that is known.
func Made(typ string) (string, bool) {
	expr, ok := made[typ]
	return expr, ok
}
