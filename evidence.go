package main

// This file reads what a running program left.

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mapmend/plan"
	"mapmend/plan/evidence"
)

// readEvidence is what the files of --evidence have.
type readEvidence struct {
	evidence.Evidence
	files []plan.EvidenceFile // in the order of the command line
}

// allEvidence returns what the files of --evidence have. They are read once.
func (inv *invocation) allEvidence() (readEvidence, error) {
	if inv.gathered == nil {
		var all readEvidence
		for _, name := range inv.evidence {
			one, hash, err := inv.evidenceIn(name)
			if err != nil {
				return readEvidence{}, err
			}
			all.Evidence = all.With(one)
			all.files = append(all.files, plan.EvidenceFile{File: name, Hash: hash})
		}
		inv.gathered = &all
	}
	return *inv.gathered, nil
}

// evidenceIn reads the named file, and returns a hash of it; "-" is standard input.
func (inv *invocation) evidenceIn(name string) (evidence.Evidence, string, error) {
	in, source := inv.stdin, "standard input"
	if name != "-" {
		source = name
		if !filepath.IsAbs(name) {
			name = filepath.Join(cmp.Or(inv.evidenceDir, inv.dir), name)
		}
		f, err := os.Open(name)
		if err != nil {
			return evidence.Evidence{}, "", err
		}
		defer f.Close()
		in = f
	}
	hash := sha256.New()
	in = io.TeeReader(in, hash)
	found, err := evidence.Read(in, source)
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	if err != nil {
		return evidence.Evidence{}, "", fmt.Errorf("%s: %w", source, err)
	}
	return found, hex.EncodeToString(hash.Sum(nil)), nil
}
