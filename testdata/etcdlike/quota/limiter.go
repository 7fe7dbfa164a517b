// Package quota limits how many requests a client may make within a window of time.
package quota

import (
	"net"
	"net/http"
	"time"
)

// A Limiter counts the requests of each client. A request counts for one window, beginning when it is allowed.
type Limiter struct {
	limit  int
	window time.Duration
	used   map[string]int // requests that count now, by client
}

// NewLimiter returns a limiter that allows limit requests of each client within a window.
func NewLimiter(limit int, window time.Duration) *Limiter {
	return &Limiter{limit: limit, window: window, used: make(map[string]int)}
}

// Wrap returns a handler that passes on to next what the limiter allows, and answers the rest itself.
func (l *Limiter) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.Allow(Client(r)) {
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Client returns the name under which the sender of a request is counted: its address without the port.
func Client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Allow counts a request of client and reports whether it is within the limit. A refused request does not count.
func (l *Limiter) Allow(client string) bool {
	if !l.acquire(client) {
		return false
	}
	time.AfterFunc(l.window, func() { l.release(client) })
	return true
}

// Used returns how many requests of client count now.
func (l *Limiter) Used(client string) int {
	return l.used[client]
}

// acquire raises the count of client unless it has reached the limit.
func (l *Limiter) acquire(client string) bool {
	if l.used[client] >= l.limit {
		return false
	}
	l.used[client]++
	return true
}

// release lowers the count of client, and forgets a client whose count is zero.
func (l *Limiter) release(client string) {
	l.used[client]--
	if l.used[client] <= 0 {
		delete(l.used, client)
	}
}
