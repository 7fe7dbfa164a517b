package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// testRoles is a Loader. It returns a new map each time, as every Loader does.
func testRoles() (map[string]Permission, error) {
	return map[string]Permission{"root": {Write: true}, "guest": {Prefix: "public/"}}, nil
}

func TestServer(t *testing.T) {
	s, err := NewServer(testRoles)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Names(); !slices.Equal(got, []string{"guest", "root"}) {
		t.Errorf("Names: %v", got)
	}
	for path, want := range map[string]int{
		"/auth/roles":       http.StatusOK,
		"/auth/roles/guest": http.StatusOK,
		"/auth/roles/ghost": http.StatusNotFound,
	} {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("GET %s: %d, want %d", path, answer.Code, want)
		}
	}
}

func TestReload(t *testing.T) {
	var roles map[string]Permission
	var fault error
	s, err := NewServer(func() (map[string]Permission, error) { return roles, fault })
	if err != nil {
		t.Fatal(err)
	}
	roles = map[string]Permission{"root": {}}
	if err := s.Reload(); err != nil || len(s.Names()) != 1 {
		t.Errorf("reload: %v, %v", s.Names(), err)
	}
	roles, fault = nil, errors.New("no connection")
	if err := s.Reload(); !errors.Is(err, fault) || len(s.Names()) != 1 {
		t.Errorf("failed reload: %v, %v", s.Names(), err)
	}
}
