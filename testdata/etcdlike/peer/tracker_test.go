package peer

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func TestTracker(t *testing.T) {
	now := time.Now()
	tr := NewTracker(time.Minute)
	tr.Heartbeat("b", now)
	tr.Heartbeat("a", now)
	tr.Heartbeat("a", now.Add(30*time.Second))
	if got := tr.Alive(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Alive: %v", got)
	}
	tr.prune(now.Add(time.Minute + time.Second))
	if got := tr.Alive(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("Alive after b was silent: %v", got)
	}
}

func TestServeHTTP(t *testing.T) {
	tr := NewTracker(time.Minute)
	for _, step := range []struct {
		method string
		code   int
		body   string
	}{
		{http.MethodPost, http.StatusNoContent, ""},
		{http.MethodGet, http.StatusOK, "a\n"},
		{http.MethodPut, http.StatusMethodNotAllowed, "use GET or POST\n"},
	} {
		answer := httptest.NewRecorder()
		tr.ServeHTTP(answer, httptest.NewRequest(step.method, "/peers?peer=a", nil))
		if answer.Code != step.code || answer.Body.String() != step.body {
			t.Errorf("%s: %d %q", step.method, answer.Code, answer.Body)
		}
	}
}
