package model

import "strings"

// This file knows which methods library functions look for, by a type assertion, in what they are given. Functions that
// may wait for others of the program (see Quiet) may look for any, and are not meant.

// sought are the methods that printers, encoders, decoders, sorters and comparers look for in any value.
var sought = set(`
	String Error Format GoString Scan
	MarshalJSON MarshalJSONTo MarshalText MarshalBinary MarshalXML MarshalXMLAttr MarshalYAML MarshalTOML AppendText AppendBinary GobEncode
	UnmarshalJSON UnmarshalJSONFrom UnmarshalText UnmarshalBinary UnmarshalXML UnmarshalXMLAttr UnmarshalYAML UnmarshalTOML GobDecode
	LogValue MarshalLog MarshalLogObject MarshalLogArray MarshalZerologObject MarshalZerologArray
	Is As Unwrap Cause StackTrace Timeout Temporary GRPCStatus
	Less Len Swap Equal IsZero IsBoolFlag Uint64 Pos End AfterFunc ImportFrom Public Sign SignMessage Decrypt`)

// streams are the methods that they look for, besides those, in what they are given to read, to write or to open.
var streams = set(`
	Read ReadAt ReadByte ReadRune ReadFrom UnreadByte UnreadRune Write WriteAt WriteByte WriteRune WriteString WriteTo WriteHeader Header
	Seek Close CloseRead CloseWrite CloseWithError Flush FlushError Sync Reset Clone Sum BlockSize Bytes Size
	Open Stat Lstat ReadDir Readdir ReadFile ReadLink Sub Glob Name Fd SyscallConn
	SetDeadline SetReadDeadline SetWriteDeadline EnableFullDuplex Hijack Push CloseNotify`)

// Sought reports whether the function key is a method that a library may look for in any value that it is given.
func Sought(key string) bool { return sought[methodIn(key)] }

// SoughtInStream reports whether the function key is a method that a library may look for in a reader, writer or file
// system that it is given.
func SoughtInStream(key string) bool { return streams[methodIn(key)] }

// IsStream reports whether what has the method name is a reader, writer or file system.
func IsStream(name string) bool { return name == "Read" || name == "Write" || name == "Open" }

// methodIn returns the name of the method key, and "" for the key of a function.
func methodIn(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	if parts := strings.Split(name, "."); len(parts) == 3 {
		return parts[2]
	}
	return ""
}

// reporters are what a test reports to. Their methods call nothing of the program but to print what they are given.
var reporters = set(`testing.T testing.B testing.F`)

// Reports reports whether typ is what a test reports to: who has one finds nothing of the program in it.
func Reports(typ string) bool { return reporters[typ] }
