// Package region decides where in a function a lock section may stand.
//
// Given the uses of map variables in one function body and the lock that is to be held at them, it
// finds runs of whole statements ([Section]) that cover every use, or says what is in the way
// ([Obstacle]). A section never splits a statement, so how often and under which condition a use is
// evaluated inside its statement does not matter.
//
// Uses that belong together stay together: a use that writes is in the same section as the reads
// that come before it in the function. If that section would contain a call that may block, call
// back or take the lock, or a loop that waits for others, there is no section at all.
//
// A section ends by defer where it can run to the end of the body; else it is a bracket, which
// nothing may leave and in which nothing but the use itself may panic.
//
// Where the statement that uses the map may not run under the lock, what it reads is taken out of its head (hoist.go), nothing that
// can be noticed being passed over (order.go); ways out of a section unlock first (exit.go); what may panic becomes a function
// literal (closure.go). A lookup and the store of what was fetched meanwhile are parted (fill.go).
//
// What it does not do: it changes no other order of what runs, and does not split functions.
package region
