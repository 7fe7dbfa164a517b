// Package model is what mapmend knows about functions it has no body of: which ones lock, start
// goroutines, call functions they are given, use maps, wait or block. It is the only place under
// plan that knows library names, and it is data: one row a function, keyed as access.FuncKey does
// ("sync.Mutex.Lock", "net/http.HandleFunc").
//
// A function without a row is unknown. Unknown never means harmless: a closure given to it may run
// at any time, and a section that would contain a call of it is refused.
//
// What a module knows better it adds in its configuration: [Extend] makes a [Library] of that and the tables.
//
// What it does not do: it does not describe results, and of third-party code it knows only what starts
// goroutines or calls back from them.
package model
