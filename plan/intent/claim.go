package intent

import (
	"regexp"
	"strings"
)

// This file understands prose, a sentence at a time.

var (
	sentenceEnd = regexp.MustCompile(`[.;!?](\s|$)|\n\s*\n`)

	safe = regexp.MustCompile(`(?i)\bsafe for (concurrent|parallel|simultaneous)\b` +
		`|\b(safe|used|called|accessed|shared)\b[^.]* (by|from|between|among|across) (multiple|several|many|different|concurrent) (goroutines|threads)\b` +
		`|\b(goroutine|thread|concurrency)[- ]?safe\b|\bconcurrent[- ]safe\b` +
		`|\b(safe to (use|call)|may be (used|called|accessed)|can be (used|called|accessed)) concurrently\b`)
	qualified = regexp.MustCompile(`(?i)\b(not|never|no|cannot|unsafe|without|non|neither|nor|unless|if|provided|long as|only|make sure|ensure|caller|callers|must|should)\b|n't\b`)

	// What follows "be called" is when: a place in an order, or what must not go on meanwhile.
	term = regexp.MustCompile(`(?i)\b(must|should|needs? to|has to|may|can|cannot|not|never|only|n't) ((only|not|never) )?be (called|invoked|used) (only )?(once )?` +
		`(before|after|until|prior to|concurrently|in parallel|simultaneously|(during|at) (init|initiali[sz]ation|start-?up|set-?up)|(from|by) (multiple|several|many|different|more than one) (goroutines?|threads?))\b` +
		`|\bnot (be )?((safe|intended) for (concurrent|parallel|simultaneous)|safe to (call|use) (concurrently|in parallel)|(goroutine|thread|concurrency)[- ]?safe)\b`)
	permits = regexp.MustCompile(`(?i)\b(may|can) be (called|invoked|used)\b`)

	todo    = regexp.MustCompile(`\b(TODO|FIXME|XXX|BUG|HACK)\b`)
	missing = regexp.MustCompile(`(?i)\b(add|adds|need|needs|needed|missing|use|should|must|protect|guard|make|take|hold|acquire|requires?|put)\b[^.]*\b(lock|locks|locking|locked|mutex|mutexes|rwmutex|synchroni[sz]ed|synchroni[sz]ation|thread[- ]?safe|goroutine[- ]?safe|sync\.(Map|Mutex|RWMutex))\b` +
		`|\b(data race|race condition|racy)\b|\bnot (thread|goroutine|concurrency)[- ]?safe\b|\bconcurrent (map )?(access|accesses|write|writes|reads|use)\b`)
	otherwise = regexp.MustCompile(`(?i)\b(remove|drop|avoid|unnecessary|contention|finer|narrow|reduce|get rid|no need|do we|instead of|lock ?file|deadlock|lock order)\b`)
)

// saysSafe returns the sentence of text, the comment of what is called name, that says that this may be used
// concurrently; it is empty when none does. A sentence about something else is not meant:
//
//	// The constraint may be called concurrently.
func saysSafe(text, name string) string {
	return find(text, func(s string) bool {
		return safe.MatchString(s) && !qualified.MatchString(s) && isAbout(s, name)
	})
}

// saysWhen returns the sentence of text, the comment of the function name, that asks the callers for when they call it: before
// or after something else, or not beside it. It is empty when none does.
func saysWhen(text, name string) string {
	return find(text, func(s string) bool {
		return term.MatchString(s) && !permits.MatchString(s) && !todo.MatchString(s) && isAbout(s, name)
	})
}

// isAbout reports whether the sentence s is about what is called name, as far as its first words tell.
func isAbout(s, name string) bool {
	for _, word := range strings.Fields(s)[:min(3, len(strings.Fields(s)))] {
		word = strings.ToLower(strings.TrimSuffix(word, ","))
		if _, method, ok := strings.Cut(name, "."); ok && word == strings.ToLower(method) {
			return true
		}
		switch word {
		case strings.ToLower(name), strings.ToLower(name) + "s", "it", "its", "this", "they", "methods", "safe", "goroutine", "thread", "concurrency":
			return true
		}
		if strings.HasPrefix(word, "goroutine-") || strings.HasPrefix(word, "thread-") || strings.HasPrefix(word, "concurren") || strings.HasPrefix(word, "threadsafe") {
			return true
		}
	}
	return false
}

// saysMissing returns the sentence of text that asks for a lock; it is empty when none does.
func saysMissing(text string) string {
	if !todo.MatchString(text) {
		return ""
	}
	text = text[todo.FindStringIndex(text)[0]:]
	return find(text, func(s string) bool { return missing.MatchString(s) && !otherwise.MatchString(s) })
}

// find returns the first sentence of text for which is holds, in one line and not too long.
func find(text string, is func(string) bool) string {
	for _, s := range sentenceEnd.Split(text, -1) {
		s = strings.Join(strings.Fields(s), " ")
		if !is(s) {
			continue
		}
		const most = 100
		if len(s) > most {
			s = s[:strings.LastIndexByte(s[:most], ' ')+1] + "..."
		}
		return s
	}
	return ""
}
