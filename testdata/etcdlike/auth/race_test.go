package auth

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestServerConcurrently asks for roles while they are read again.
func TestServerConcurrently(t *testing.T) {
	const workers, rounds = 4, 200
	s, err := NewServer(testRoles)
	if err != nil {
		t.Fatal(err)
	}

	start := make(chan struct{})
	var wg sync.WaitGroup
	for _, path := range []string{"/auth/roles", "/auth/roles/root"} {
		for range workers {
			wg.Go(func() {
				<-start
				for range rounds {
					answer := httptest.NewRecorder()
					s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
					if answer.Code != http.StatusOK {
						t.Errorf("GET %s: %d", path, answer.Code)
					}
				}
			})
		}
	}
	wg.Go(func() {
		<-start
		for range rounds {
			if err := s.Reload(); err != nil {
				t.Error(err)
			}
		}
	})
	close(start)
	wg.Wait()
}
