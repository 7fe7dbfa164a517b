package report

// This file renders findings as JSON, schema mapmend/findings/v1. The types stand apart from those of
// package plan, so that a change there cannot change the contract unseen.

import (
	"encoding/json"
	"io"

	"mapmend/plan"
)

// Schema names the contract of JSON. Fields may be added under one name, never changed or taken away.
const Schema = "mapmend/findings/v1"

type document struct {
	Schema   string        `json:"schema"`
	Findings []jsonFinding `json:"findings"`
	Refusals []jsonRefusal `json:"refusals"`
}

type jsonFinding struct {
	ID         string     `json:"id"`
	Kind       plan.Kind  `json:"kind"`
	Confidence string     `json:"confidence"`
	Evidence   []string   `json:"evidence"`
	Module     string     `json:"module"`
	Package    string     `json:"package"`
	Owner      string     `json:"owner"`
	Field      string     `json:"field"`
	Pos        jsonPos    `json:"pos"`
	Guard      string     `json:"guard"`
	Message    string     `json:"message"`
	Chains     [][]string `json:"chains"`
	Sites      []jsonSite `json:"sites"`

	Contention []jsonContention `json:"contention,omitempty"`
	Stays      string           `json:"stays,omitempty"`
	Fix        *jsonFix         `json:"fix,omitempty"`
	Platforms  []string         `json:"platforms,omitempty"` // unless it is on all that were asked for
}

type jsonFix struct {
	Text  string        `json:"text"`
	Files []jsonFileFix `json:"files"`
}

type jsonFileFix struct {
	File   string     `json:"file"`
	Create bool       `json:"create,omitempty"`
	Edits  []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	Start jsonPlace `json:"start"`
	End   jsonPlace `json:"end"` // exclusive
	Text  string    `json:"text"`
}

type jsonPlace struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type jsonContention struct {
	Profile string         `json:"profile"`
	Lock    string         `json:"lock"`
	Share   float64        `json:"share"`
	Around  float64        `json:"around"`
	Nanos   int64          `json:"nanos"`
	Waits   int64          `json:"waits"`
	Sites   []jsonLockSite `json:"sites"`
}

type jsonLockSite struct {
	jsonPos
	Function string  `json:"function"`
	Holds    bool    `json:"holds"`
	Share    float64 `json:"share"`
}

type jsonPos struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type jsonSite struct {
	jsonPos
	Function string     `json:"function"`
	Kind     plan.Kind  `json:"kind,omitempty"`
	Op       string     `json:"op"`
	Held     []jsonHeld `json:"held"`
	Problem  bool       `json:"problem"`
}

type jsonHeld struct {
	Lock string `json:"lock"`
	Mode string `json:"mode"`
}

type jsonRefusal struct {
	Code    plan.Code `json:"code"`
	Package string    `json:"package"`
	Owner   string    `json:"owner"`
	Field   string    `json:"field"`
	Pos     jsonPos   `json:"pos"`
	Message string    `json:"message"`
	Todo    string    `json:"todo"`
}

// JSON writes one document with all findings and refusals, by file, line and column of the declaration
// or of the refusal's place. Empty lists are [], never null.
func JSON(w io.Writer, findings []plan.Finding, refusals []plan.Refusal, opt Options) error {
	doc := document{Schema: Schema, Findings: []jsonFinding{}, Refusals: []jsonRefusal{}}
	declared := func(f plan.Finding) plan.Pos { return opt.posn(f.Pos) }
	for _, f := range sorted(findings, declared, findingVar) {
		doc.Findings = append(doc.Findings, opt.finding(f))
	}
	place := func(r plan.Refusal) plan.Pos { return opt.posn(r.Pos) }
	for _, r := range sorted(refusals, place, func(r plan.Refusal) plan.Var { return r.Var }) {
		doc.Refusals = append(doc.Refusals, jsonRefusal{
			Code: r.Code, Package: r.Package, Owner: r.Owner, Field: r.Field,
			Pos: opt.jsonPos(r.Pos), Message: r.Message, Todo: r.Todo,
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // keys and messages hold <, > and &
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func (o Options) finding(f plan.Finding) jsonFinding {
	j := jsonFinding{
		ID: f.ID, Kind: f.Kind, Confidence: f.Confidence.String(), Evidence: append([]string{}, f.Evidence...),
		Module: f.Module, Package: f.Package, Owner: f.Owner, Field: f.Field, Pos: o.jsonPos(f.Pos),
		Guard: f.Guard, Message: f.Message, Chains: [][]string{}, Sites: []jsonSite{}, Stays: f.Stays, Platforms: f.Platforms,
	}
	for _, c := range f.Contention {
		out := jsonContention{Profile: c.Profile, Lock: c.Lock, Share: c.Share, Around: c.Around, Nanos: c.Nanos, Waits: c.Waits, Sites: []jsonLockSite{}}
		for _, s := range c.Sites {
			out.Sites = append(out.Sites, jsonLockSite{o.jsonPos(s.Pos), s.Function, s.Holds, s.Share})
		}
		j.Contention = append(j.Contention, out)
	}
	for _, chain := range f.Chains {
		j.Chains = append(j.Chains, append([]string{}, chain...))
	}
	for _, s := range o.sites(f.Sites) {
		j.Sites = append(j.Sites, o.site(s))
	}
	if fix := o.fix(f); fix != nil {
		j.Fix = &jsonFix{Text: fix.Text, Files: []jsonFileFix{}}
		for _, file := range fix.Files {
			j.Fix.Files = append(j.Fix.Files, file.json())
		}
	}
	return j
}

func (f FileFix) json() jsonFileFix {
	place := func(offset int) jsonPlace {
		line, before := f.place(offset)
		return jsonPlace{line, len(before) + 1}
	}
	j := jsonFileFix{File: f.File, Create: f.Create, Edits: []jsonEdit{}}
	for _, e := range f.Edits {
		j.Edits = append(j.Edits, jsonEdit{place(e.Start), place(e.End), e.Text})
	}
	return j
}

func (o Options) site(s plan.Site) jsonSite {
	j := jsonSite{jsonPos: o.jsonPos(s.Pos), Function: s.Function, Kind: s.Kind, Op: s.Op, Held: []jsonHeld{}, Problem: s.Problem}
	for _, h := range s.Held {
		j.Held = append(j.Held, jsonHeld{Lock: h.Lock, Mode: h.Mode})
	}
	return j
}

func (o Options) jsonPos(p plan.Pos) jsonPos {
	p = o.posn(p)
	return jsonPos{File: p.File, Line: p.Line, Column: p.Column}
}
