package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/etcdlike/auth"
	"example.com/etcdlike/config"
	"example.com/etcdlike/keyrange"
	"example.com/etcdlike/lease"
	"example.com/etcdlike/mvcc"
	"example.com/etcdlike/peer"
	"example.com/etcdlike/quota"
	"example.com/etcdlike/session"
)

// server is all parts of etcdlike together.
type server struct {
	cfg      *config.Config
	index    *mvcc.Index
	leases   *lease.Store
	limiter  *quota.Limiter
	peers    *peer.Tracker
	roles    *auth.Server
	sessions *session.Manager

	revision atomic.Int64 // the revision of the last write
}

// newServer makes the parts as cfg says.
func newServer(cfg *config.Config, load auth.Loader) (*server, error) {
	limit, err := cfg.Int("quota.limit")
	if err != nil {
		return nil, err
	}
	window, err := cfg.Duration("quota.window")
	if err != nil {
		return nil, err
	}
	timeout, err := cfg.Duration("peer.timeout")
	if err != nil {
		return nil, err
	}
	lives, err := cfg.Duration("session.lives")
	if err != nil {
		return nil, err
	}
	roles, err := auth.NewServer(load)
	if err != nil {
		return nil, err
	}
	return &server{
		cfg:      cfg,
		index:    mvcc.NewIndex(),
		leases:   lease.NewStore(),
		limiter:  quota.NewLimiter(limit, window),
		peers:    peer.NewTracker(timeout),
		roles:    roles,
		sessions: session.NewManager(lives),
	}, nil
}

// start begins the background work, most of which lasts until ctx is done.
func (s *server) start(ctx context.Context) error {
	check, err := s.cfg.Duration("lease.check")
	if err != nil {
		return err
	}
	reload, err := s.cfg.Duration("roles.reload")
	if err != nil {
		return err
	}
	go s.leases.Run(ctx, check)
	s.roles.Start(ctx, reload)
	s.peers.Run(ctx)
	s.sessions.Start()
	return nil
}

// stop ends the background work that does not end with the context of start.
func (s *server) stop() {
	s.sessions.Stop()
}

// handler returns the routes of the server.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /keys/{key}", s.handlePut)
	mux.HandleFunc("GET /keys/{key}", s.handleGet)
	mux.HandleFunc("DELETE /keys/{key}", s.handleDelete)
	mux.HandleFunc("GET /range", s.handleRange)
	mux.HandleFunc("POST /restore", s.handleRestore)
	mux.HandleFunc("POST /leases", s.handleGrant)
	mux.HandleFunc("GET /leases/{id}", s.handleTTL)
	mux.HandleFunc("PUT /leases/{id}", s.handleRenew)
	mux.HandleFunc("DELETE /leases/{id}", s.handleRevoke)
	mux.HandleFunc("GET /leases/{id}/events", s.handleEvents)
	mux.HandleFunc("POST /login", s.handleLogin)
	mux.HandleFunc("GET /whoami", s.handleWhoami)
	mux.HandleFunc("POST /settings", s.handleSetting)
	mux.HandleFunc("GET /metrics", s.handleMetrics)
	mux.Handle("/auth/", s.roles)
	mux.Handle("/peers", s.peers)
	return s.limiter.Wrap(mux)
}

func (s *server) handlePut(w http.ResponseWriter, r *http.Request) {
	rev := mvcc.Revision(s.revision.Add(1))
	item := s.index.Put(r.PathValue("key"), rev)
	fmt.Fprintf(w, "revision %d, version %d\n", item.Modified, item.Version)
}

func (s *server) handleGet(w http.ResponseWriter, r *http.Request) {
	item, ok := s.index.Get(r.PathValue("key"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintf(w, "revision %d, version %d\n", item.Modified, item.Version)
}

func (s *server) handleDelete(w http.ResponseWriter, r *http.Request) {
	if !s.index.Tombstone(r.PathValue("key")) {
		http.NotFound(w, r)
	}
}

// handleRange lists the keys in ?keys that were written after the revision ?since.
func (s *server) handleRange(w http.ResponseWriter, r *http.Request) {
	pattern := r.FormValue("keys")
	wanted, err := keyrange.Parse(pattern)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	since, _ := strconv.ParseInt(r.FormValue("since"), 10, 64) // all keys, unless it is a number
	for _, key := range s.index.Since(mvcc.Revision(since)) {
		if wanted.Contains(key) {
			fmt.Fprintln(w, key)
		}
	}
	if r.FormValue("once") != "" {
		keyrange.Forget(pattern)
	}
}

// handleRestore takes items over from the snapshot in the body.
func (s *server) handleRestore(w http.ResponseWriter, r *http.Request) {
	var snapshot map[string]mvcc.Item
	if err := json.NewDecoder(r.Body).Decode(&snapshot); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for key, item := range snapshot {
		s.index.Restore(key, item)
	}
}

func (s *server) handleLogin(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, s.sessions.Open(r.FormValue("user"), time.Now()))
}

func (s *server) handleWhoami(w http.ResponseWriter, r *http.Request) {
	login, ok := s.sessions.Lookup(r.FormValue("token"), time.Now())
	if !ok {
		http.Error(w, "not logged in", http.StatusUnauthorized)
		return
	}
	fmt.Fprintln(w, login.User)
}

func (s *server) handleSetting(w http.ResponseWriter, r *http.Request) {
	s.cfg.Set(r.FormValue("name"), r.FormValue("value"))
}

func (s *server) handleMetrics(w http.ResponseWriter, r *http.Request) {
	_, changes := s.cfg.Snapshot()
	fmt.Fprintf(w, "leases %d\n", s.leases.Count())
	fmt.Fprintf(w, "sessions %d\n", s.sessions.Len())
	fmt.Fprintf(w, "patterns %d\n", keyrange.Cached())
	fmt.Fprintf(w, "peers %d\n", len(s.peers.Alive()))
	fmt.Fprintf(w, "setting_changes %d\n", changes)
	fmt.Fprintf(w, "your_requests %d\n", s.limiter.Used(quota.Client(r)))
}
