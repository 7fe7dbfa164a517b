// Package rewrite carries out a plan: it turns the mends of a [plan.Plan] into new contents of files.
// It decides nothing. Which variable is mended, in which form and where its sections begin and end is
// in the plan; whether the result may be shown is for package verify.
//
// # What a rewrite may change
//
// A plan names places by file and byte offset. Package rewrite looks each one up in the file's syntax,
// and a place that is not exactly a declaration, an identifier or a run of whole statements is refused:
// the plan was made for other bytes, or is wrong. From
//
//	type Store struct {
//		// byID holds the open sessions.
//		byID map[string]*Session
//	}
//
//	func (s *Store) Len() int { return len(s.byID) }
//
// a mend of form lock with a mutex to add and one deferred section makes
//
//	type Store struct {
//		// mu guards byID.
//		mu sync.RWMutex
//		// byID holds the open sessions.
//		byID map[string]*Session
//	}
//
//	func (s *Store) Len() int {
//		s.mu.RLock()
//		defer s.mu.RUnlock()
//		return len(s.byID)
//	}
//
// It may also make the receivers of all methods of Store pointers, where each call would copy the mutex.
//
// A function that has a twin, see [plan.Twin], is split in its bytes: what is new stands between its result and its body,
// which becomes that of the twin as it is.
//
// A mend of any other form makes the map one of a generated type, in a file of its own, and each mention of it
// a call of an accessor: s.byID.Len(). Package templates has the code of the type.
//
// # How
//
// The file is parsed anew and decorated by dst without an import resolver, so that comments move with
// the statement they describe. All steps are checked on the parsed file before the first one changes
// the tree. The tree is printed, and only the declarations that a step touched are cut out of the print
// and put into the original bytes; a new import, a new lone variable and a twin are insertions of bytes; an import that only replaced bytes mention goes with them. When
// the file was formatted before, the result is formatted too.
//
// # What holds
//
//   - The steps of one mend are all in the changes or none is: a mend that cannot be carried out is a
//     refusal, and the changes are what they would be without it.
//   - Sections of two mends on one lock that are the same, overlap or follow each other are one section.
//   - Bytes outside the declarations a step touched, the import declaration and the spaces by which
//     gofmt aligns neighbours stay as they are. So do doc comments.
//   - A comment behind code on its line stays there, one above a statement stays above it.
//   - The program and the plan are never altered; the changes depend on nothing else, and are sorted.
//
// # What it does not do
//
// It reads and writes no files, and does not touch files it might damage: generated ones, those that
// import "C", hold carriage returns, a byte order mark or //line directives, or that dst does not
// reproduce. It does not find out whether a section blocks, deadlocks or misses a use.
package rewrite
