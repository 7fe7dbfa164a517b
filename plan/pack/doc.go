// Package pack writes plain data as bytes and reads it again, for summaries of packages that are kept from one run to the next.
//
// Plain data are values of booleans, integers, strings, and of slices, arrays, maps, pointers and structs of plain data; all fields are
// exported, and no value contains itself. What comes back is deeply equal: an empty slice is not nil. Another type is an error, since
// what is not written would be missing later and nobody would know.
//
// A [go/token.Pos] is written as a file and an offset, because its number says where the file stood among others in one run. This is what
// encoding/gob, which also takes empty for nil, leaves no room for. A string is written once.
//
// The bytes are for the program that wrote them: they do not name types or fields. The order of fields is what tells them apart.
package pack
