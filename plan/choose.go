package plan

import "slices"

// This file chooses the form of a variable when nobody asks for one.

// A row is one line of the table that chooses. It holds when none of its tests fails.
type row struct {
	form   Form
	name   string // what holds, to be read after "since"
	figure string // what was measured, for people
	tests  []test
}

// A test is one condition of a row.
type test struct {
	holds func(usage) bool
	not   string // what is to be said when it does not
}

// choices is the table. The first row that holds, and whose form is feasible, decides. The times are of maps of strings with
// 10 000 entries, two cores and two goroutines unless the figure says otherwise; package templates/bench measures the like.
var choices = []row{
	{Lock, "a lock can be held around every use, and nothing speaks for more",
		"below about a million uses a second no form is felt, and this one changes least; an accessor costs 1 ns", nil},

	{Snapshot, "the map is only ever replaced as a whole",
		"a load takes 8 ns, and 30 under a RWMutex, and no entry is ever copied", []test{
			{func(u usage) bool { return u.replaced > 0 }, "it is never replaced as a whole"},
			{func(u usage) bool { return u.changes == 0 }, "entries are changed one by one"},
		}},

	{Snapshot, "it is ranged over at least ten times as often as changed",
		"of 1 000 entries a range takes 11 µs, and 88 under a RWMutex, where it copies them; a change takes 93 µs, and 0.07", []test{
			{func(u usage) bool { return u.ranges > 0 }, "it is never ranged over"},
			{func(u usage) bool { return u.ranges >= 10*(u.changes+u.replaced) }, "it is changed too often"},
			{func(u usage) bool { return !u.callers }, "callers outside the program change it as often as they like"},
			{func(u usage) bool { return u.hint <= 1000 }, "it is made for more than 1 000 entries, which each change would copy"},
		}},

	{RWMutex, "all entries are looked at while entries change",
		"Len takes 6 ns, and 281 of 64 shards; neither these nor a sync.Map show all entries as they are at one time", []test{
			{func(u usage) bool { return u.ranges+u.lens > 0 && u.changes > 0 }, "it is neither counted nor ranged over while entries change"},
		}},

	{RWMutex, "there may be many of it",
		"with one entry it takes 290 B, and shards 5.1 KiB: 5 MB for a thousand of them", []test{
			{func(u usage) bool { return u.instances == many || u.instances == anyNumber && u.hot == "" }, "there are few of it, as far as the program shows"},
		}},

	{RWMutex, "nothing shows that it is hot",
		"on one core, with 90 % loads, a use takes 23 ns, 29 of shards and 54 of a sync.Map", []test{
			{func(u usage) bool { return !u.busy }, "it is hot"},
		}},

	{SyncMap, "entries stay, and are loaded a hundred times as often as stored",
		"with 99 % loads a use takes 25 ns, and 28 under a RWMutex, of 100 entries and loads alone 14 and 26; with 90 % 33 and 31, and 64 B of garbage for each store", []test{
			{func(u usage) bool { return u.removals == 0 }, "entries are removed"},
			{func(u usage) bool { return u.loads >= 100*u.changes }, "too many entries are stored"},
			{func(u usage) bool { return u.hint <= 10_000 }, "it is made for more than 10 000 entries, where a load takes twice as long"},
		}},

	{Sharded, "many goroutines change entries",
		"with 10 % stores a RWMutex does 4 to 24 % less on two cores, and 58 % less with eight threads", []test{
			{func(u usage) bool { return u.loads < 10*u.changes }, "fewer than one use in ten changes an entry"},
			{func(u usage) bool { return u.hint == 0 || u.hint >= 64 }, "it is made for fewer entries than there are shards"},
		}},

	{RWMutex, "no other form was measured to be faster for such a use", "with 99 % loads a use takes 28 ns, and 25 of shards", nil},
}

// why returns the first of what does not hold of r for u, or "" when r holds.
func (r row) why(u usage) string {
	for _, t := range r.tests {
		if !t.holds(u) {
			return t.not
		}
	}
	return ""
}

// next returns the next form to try for c, or "" when there is none.
func (d *decider) next(c *candidate) Form {
	if !c.auto {
		if len(c.forms) == 0 {
			return ""
		}
		form := c.forms[0]
		c.forms = c.forms[1:]
		return form
	}
	for len(c.rows) > 0 {
		c.row, c.rows = c.rows[0], c.rows[1:]
		r := choices[c.row]
		if c.infeasible[r.form] == nil && (len(r.tests) == 0 || r.why(d.usage(c)) == "") {
			return r.form
		}
	}
	return ""
}

// rowsFor returns the rows to be tried for c, in their order. Of one that is hot the form lock is not felt to be the best for being the
// smallest change: where another form was measured to be faster, that comes first.
func (d *decider) rowsFor(c *candidate) []int {
	var rows []int
	if !d.measured.evidence.IsEmpty() {
		if u := d.usage(c); u.hot != "" && choices[u.decides()].form != RWMutex {
			rows = append(rows, u.decides())
		}
	}
	for i := range choices {
		rows = append(rows, i)
	}
	return rows
}

// decides returns the row that decides about u, the form lock aside.
func (u usage) decides() int {
	return 1 + slices.IndexFunc(choices[1:], func(r row) bool { return r.why(u) == "" })
}

// usage returns how the variable of c is used.
func (d *decider) usage(c *candidate) usage {
	if c.usage == nil {
		u := d.usageOf(c)
		c.usage = &u
	}
	return *c.usage
}

// choice tells why c has the form that it has; nil if it was asked for.
func (d *decider) choice(c *candidate) *Choice {
	if !c.auto {
		return nil
	}
	u, decided := d.usage(c), choices[c.row]
	out := &Choice{Row: decided.name, Figure: decided.figure, Usage: u.String(), Not: []Rejected{}}
	for _, r := range choices {
		if r.form == decided.form || r.form == Lock && c.relieved && decided.form == RWMutex { // it has the form lock, and keeps it
			continue
		}
		name, why := r.name, r.why(u)
		refused := d.infeasible(c, r.form)
		if refused != nil && slices.ContainsFunc(out.Not, func(other Rejected) bool { return other.Form == r.form }) {
			continue
		}
		switch {
		case refused != nil:
			name, why = "", string(refused.Code)+": "+refused.Message
		case why == "" && r.form == Lock && u.hot != "":
			why = "it is hot, and another form was measured to be faster"
		case why == "":
			why = "the row that decided comes first"
		}
		out.Not = append(out.Not, Rejected{Form: r.form, Row: name, Why: why})
	}
	return out
}

// infeasible returns why form is not feasible for c, as far as that was tried, or, if all is to be told, can be seen now.
func (d *decider) infeasible(c *candidate, form Form) *Refusal {
	if c.infeasible[form] == nil && d.opt.Silent && form != Lock && !slices.Contains(c.seen, form) {
		c.seen = append(c.seen, form)
		trial := *c
		if _, _, r := d.wrap(&trial, form); r != nil {
			c.reject(form, *r)
		}
	}
	return c.infeasible[form]
}

// reject notes that form is infeasible for c.
func (c *candidate) reject(form Form, r Refusal) {
	if c.infeasible == nil {
		c.infeasible = make(map[Form]*Refusal)
	}
	c.infeasible[form] = &r
}
