package quota

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	l := NewLimiter(1, time.Hour)
	if !l.Allow("a") || l.Allow("a") || !l.Allow("b") {
		t.Error("each client has one request")
	}
	l.release("a")
	if n := l.Used("a"); n != 0 {
		t.Errorf("%d requests count that were released", n)
	}
	if !l.Allow("a") {
		t.Error("the released request is not free again")
	}
}

func TestWrap(t *testing.T) {
	h := NewLimiter(1, time.Hour).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		if answer.Code != want {
			t.Errorf("status %d, want %d", answer.Code, want)
		}
	}
}
