// Package config holds the settings of a running server, which an operator may change at any time.
package config

import (
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"
)

// A Config is a set of named settings. It is safe for concurrent use.
type Config struct {
	mu       sync.RWMutex
	settings map[string]string
	changes  int // how often a setting got another value
}

// New returns a configuration that starts with the given settings.
func New(defaults map[string]string) *Config {
	c := &Config{settings: make(map[string]string, len(defaults))}
	maps.Copy(c.settings, defaults)
	return c
}

// Get returns the value of a setting, "" if it has none.
func (c *Config) Get(name string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.settings[name]
}

// Duration returns the value of a setting as a duration.
func (c *Config) Duration(name string) (time.Duration, error) {
	d, err := time.ParseDuration(c.Get(name))
	if err != nil {
		return 0, fmt.Errorf("setting %s: %w", name, err)
	}
	return d, nil
}

// Int returns the value of a setting as a number.
func (c *Config) Int(name string) (int, error) {
	n, err := strconv.Atoi(c.Get(name))
	if err != nil {
		return 0, fmt.Errorf("setting %s: %w", name, err)
	}
	return n, nil
}

// Set changes one setting.
func (c *Config) Set(name, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setLocked(name, value)
}

// Merge changes several settings at once: no reader sees only some of them changed.
func (c *Config) Merge(settings map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, value := range settings {
		c.setLocked(name, value)
	}
}

// Snapshot returns a copy of all settings and the number of changes that led to them.
func (c *Config) Snapshot() (map[string]string, int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.Clone(c.settings), c.changes
}

// setLocked changes one setting. c.mu must be held.
func (c *Config) setLocked(name, value string) {
	if old, ok := c.settings[name]; ok && old == value {
		return
	}
	c.settings[name] = value
	c.changes++
}
