package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"example.com/etcdlike/lease"
)

// This file has the handlers that deal with leases.

func (s *server) handleGrant(w http.ResponseWriter, r *http.Request) {
	ttl, err := time.ParseDuration(r.FormValue("ttl"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l := s.leases.Grant(ttl, time.Now())
	fmt.Fprintln(w, l.ID)
}

func (s *server) handleTTL(w http.ResponseWriter, r *http.Request) {
	left, ok := s.leases.TTL(leaseID(r), time.Now())
	if !ok {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintln(w, left)
}

func (s *server) handleRenew(w http.ResponseWriter, r *http.Request) {
	if !s.leases.Renew(leaseID(r), time.Now()) {
		http.NotFound(w, r)
	}
}

func (s *server) handleRevoke(w http.ResponseWriter, r *http.Request) {
	if !s.leases.Revoke(leaseID(r)) {
		http.NotFound(w, r)
	}
}

// handleEvents waits for one event of a lease.
func (s *server) handleEvents(w http.ResponseWriter, r *http.Request) {
	watcher := s.leases.Watch(leaseID(r))
	defer s.leases.Unwatch(watcher)

	select {
	case <-r.Context().Done():
	case ev := <-watcher.C:
		fmt.Fprintln(w, ev)
	}
}

// leaseID returns the lease a request is about, which is none if the path has no number.
func leaseID(r *http.Request) lease.ID {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	return lease.ID(id)
}
