// Package cache keeps answers on disk, in a folder of the user's, so that a question that was asked before need not be worked
// out again. It knows nothing of questions and answers: a key is a hash of all that decides the answer, and an answer is bytes.
// What is kept for the last run to leave and the next to begin with is an answer, too, to the question what that knew.
//
// An entry is a file that is called as its key. It is written under another name and then renamed, so a reader sees all of it or
// none, and needs no lock; of two runs that write one key at a time either may win. It begins with a hash of
// the key and of what follows: a file that was cut off, changed or renamed is no entry. What cannot be read is not there, and the
// answer is worked out; what cannot be written is not kept. Neither is an error that a user needs to know.
//
// The entries together have a size that is bounded: those that were not asked for the longest go first.
//
// What it does not do: it never says whether a key is right. Whoever makes one has to put in all that decides the answer.
package cache
