// Package evidence reads what a program left when it ran into a race on a map: the text that the runtime prints before it ends the
// process, and the reports of the race detector, with other lines of a log around them.
//
//	fatal error: concurrent map writes         the goroutine that noticed, and perhaps all others
//	WARNING: DATA RACE                         two accesses and where their goroutines were created
//
// What is read is stacks of frames; which map variable they are about is for package plan to say.
package evidence
