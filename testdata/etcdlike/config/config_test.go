package config

import (
	"maps"
	"sync"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	c := New(map[string]string{"limit": "7", "wait": "3s"})
	if n, err := c.Int("limit"); err != nil || n != 7 {
		t.Errorf("Int: %d, %v", n, err)
	}
	if d, err := c.Duration("wait"); err != nil || d != 3*time.Second {
		t.Errorf("Duration: %v, %v", d, err)
	}
	if _, err := c.Int("wait"); err == nil {
		t.Error("a duration was taken for a number")
	}
	c.Set("limit", "7")
	c.Merge(map[string]string{"limit": "8", "wait": "3s"})
	settings, changes := c.Snapshot()
	if want := map[string]string{"limit": "8", "wait": "3s"}; !maps.Equal(settings, want) || changes != 1 {
		t.Errorf("Snapshot: %v, %d", settings, changes)
	}
}

// TestConfigConcurrently changes two settings together while others read them.
func TestConfigConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	c := New(map[string]string{"a": "0", "b": "0"})

	start := make(chan struct{})
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			<-start
			for range rounds {
				c.Merge(map[string]string{"a": "1", "b": "1"})
				c.Merge(map[string]string{"a": "0", "b": "0"})
			}
		})
		wg.Go(func() {
			<-start
			for range rounds {
				if settings, _ := c.Snapshot(); settings["a"] != settings["b"] {
					t.Errorf("torn settings: %v", settings)
				}
				c.Set("c", c.Get("a"))
			}
		})
	}
	close(start)
	wg.Wait()
}
