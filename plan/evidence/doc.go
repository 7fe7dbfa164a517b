// Package evidence reads what a running program left: the text that the runtime prints before it ends the process, and the reports
// of the race detector, with other lines of a log around them; profiles; and counts of coverage. Which it is, the content tells.
//
//	fatal error: concurrent map writes         the goroutine that noticed, and perhaps all others
//	WARNING: DATA RACE                         two accesses and where their goroutines were created
//	a mutex or block profile                   stacks of what made others wait for a lock, or waited, and for how long
//	a CPU profile                              stacks of what ran
//	mode: count                                how often each block of statements ran
//
// A profile is the protocol buffer that the runtime writes, packed or not, or of delays the text of net/http/pprof. What is read is
// stacks of frames and places in files; which map variable, or which lock, they are about is for package plan to say.
//
// The input is not trusted: what is larger than any profile is, or unpacks to that, is an error, and so is one that is no profile of
// these kinds. A log may have any length, since it is read line by line.
package evidence
