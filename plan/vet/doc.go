// Package vet is the detector as an analyzer for drivers that look at one package at a time, such as go vet:
//
//	go vet -vettool=$(which mapmend) ./...
//
// The same analyses run as in `mapmend check`, and what a function does is a fact that crosses packages. What importers do with a
// package is not known here, so that what this reports is a part of what check reports: it does not have the findings that rest on
// a goroutine or a lock in an importer, or on a map that an importer uses.
//
// Packages outside the main modules have no facts and no findings: their functions are known by the model alone, as they are
// in check.
package vet
