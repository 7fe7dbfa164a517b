package plan

import (
	"mapmend/plan/share"
)

// This file decides what becomes of a contended variable, whose uses all hold a guard that is hot.

// stay is why a contended variable stays as it is although nothing is refused.
type stay struct {
	why    string
	choice *Choice // nil if the form was asked for
}

// relieve decides for a contended variable: it gets the form that the table chooses, or the first of those asked for that is feasible.
func (d *decider) relieve(v share.Verdict, decl declaration, f Finding) {
	c := &candidate{finding: f, verdict: v, decl: decl, forms: d.opt.formsOf(f.Var), row: -1, relieved: true}
	if c.auto = len(c.forms) == 0; c.auto {
		u := d.usage(c)
		if c.row = u.decides(); choices[c.row].form == RWMutex {
			d.stay(c, "no form is better for it, since "+choices[c.row].name)
			return
		}
		c.forms = []Form{choices[c.row].form}
	}
	for _, form := range c.forms {
		if form == Lock {
			d.stay(c, "the form lock is the one that it has")
			return
		}
		m, w, r := d.wrap(c, form)
		if r == nil {
			m.Choice = d.choice(c)
			w.takeNames()
			d.wrapped = append(d.wrapped, *m)
			return
		}
		d.note(c, form, *r)
	}
	d.refusals = append(d.refusals, *c.refusal)
}

func (d *decider) stay(c *candidate, why string) {
	if d.stays == nil {
		d.stays = make(map[Var]stay)
	}
	d.stays[c.finding.Var] = stay{why, d.choice(c)}
}

// tellStays adds to the findings of p why they stay as they are.
func (p *Plan) tellStays(stays map[Var]stay) {
	for i := range p.Findings {
		f := &p.Findings[i]
		s, ok := stays[f.Var]
		if !ok {
			continue
		}
		f.Stays = s.why
		if f.Story != nil {
			f.Story.Form, f.Story.Choice = Lock, s.choice
		}
	}
}
