// Command etcdlike serves keys, leases, sessions and roles over HTTP, all in memory.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"example.com/etcdlike/auth"
	"example.com/etcdlike/config"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:2379", "`address` to listen on")
	flag.Parse()
	if err := run(*addr); err != nil {
		log.Fatalf("etcdlike: %v", err)
	}
}

// run serves on addr until the process is interrupted.
func run(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	cfg := config.New(map[string]string{
		"lease.check":   "1s",
		"peer.timeout":  "10s",
		"quota.limit":   "1000",
		"quota.window":  "1m",
		"roles.reload":  "30s",
		"session.lives": "1h",
	})
	srv, err := newServer(cfg, loadRoles)
	if err != nil {
		return err
	}
	if err := srv.start(ctx); err != nil {
		return err
	}
	defer srv.stop()

	web := &http.Server{Addr: addr, Handler: srv.handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		web.Close()
	}()
	log.Printf("etcdlike: serving on %s", addr)
	if err := web.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// loadRoles is where a real server would ask its database.
func loadRoles() (map[string]auth.Permission, error) {
	return map[string]auth.Permission{
		"root":  {Prefix: "", Write: true},
		"guest": {Prefix: "public/", Write: false},
	}, nil
}
