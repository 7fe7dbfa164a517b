// Package auth answers which role may do what. The roles live in a file or a database and are read again from time to time.
package auth

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"slices"
	"time"
)

// A Permission says what a role may do with the keys under a prefix.
type Permission struct {
	Prefix string
	Write  bool // reading is always included
}

// A Loader reads all roles from where they are kept.
type Loader func() (map[string]Permission, error)

// A Server answers questions about roles over HTTP.
type Server struct {
	load  Loader
	mux   *http.ServeMux
	roles map[string]Permission // by name of the role
}

// NewServer returns a server that knows the roles load returns.
func NewServer(load Loader) (*Server, error) {
	roles, err := load()
	if err != nil {
		return nil, fmt.Errorf("load roles: %w", err)
	}
	s := &Server{load: load, mux: http.NewServeMux(), roles: roles}
	s.mux.HandleFunc("GET /auth/roles", s.handleRoles)
	s.mux.HandleFunc("GET /auth/roles/{role}", s.handleRole)
	return s, nil
}

// Start reads the roles again at every interval, until ctx is done.
func (s *Server) Start(ctx context.Context, interval time.Duration) {
	go s.reloadLoop(ctx, interval)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}

// Reload replaces all roles by those the loader returns now. On an error the old ones stay.
func (s *Server) Reload() error {
	roles, err := s.load()
	if err != nil {
		return fmt.Errorf("reload roles: %w", err)
	}
	s.roles = roles
	return nil
}

// Names returns the names of all roles, sorted.
func (s *Server) Names() []string {
	names := make([]string, 0, len(s.roles))
	for name := range s.roles {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Server) reloadLoop(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Reload(); err != nil {
				log.Printf("auth: %v", err)
			}
		}
	}
}

func (s *Server) handleRoles(w http.ResponseWriter, r *http.Request) {
	for _, name := range s.Names() {
		fmt.Fprintln(w, name)
	}
}

func (s *Server) handleRole(w http.ResponseWriter, r *http.Request) {
	role := r.PathValue("role")
	perm, ok := s.roles[role]
	if !ok {
		http.Error(w, "no such role", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, "%s prefix=%q write=%t\n", role, perm.Prefix, perm.Write)
}
