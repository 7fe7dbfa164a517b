package plan

import "testing"

// Each test of a row is the only one that keeps it from deciding about one of these. The form lock, which nothing keeps, is left out.
func TestChoices(t *testing.T) {
	replaced := usage{loads: 10, replaced: 1, removals: 1, instances: single}
	ranged := usage{loads: 10, ranges: 10, changes: 1, instances: single}
	stays := usage{loads: 1000, changes: 10, instances: few, busy: true}
	changed := usage{loads: 10, changes: 10, removals: 10, instances: few, busy: true}
	with := func(u usage, change func(*usage)) usage {
		change(&u)
		return u
	}
	for _, tt := range []struct {
		name string
		u    usage
		want Form
		row  string
	}{
		{"replaced", replaced, Snapshot, "the map is only ever replaced as a whole"},
		{"replaced, many", with(replaced, func(u *usage) { u.instances = many }), Snapshot, "the map is only ever replaced as a whole"},
		{"never replaced", with(replaced, func(u *usage) { u.replaced = 0 }), RWMutex, "nothing shows that it is hot"},
		{"replaced and changed", with(replaced, func(u *usage) { u.changes = 1 }), RWMutex, "nothing shows that it is hot"},
		{"ranged", ranged, Snapshot, "it is ranged over at least ten times as often as changed"},
		{"not ranged", with(ranged, func(u *usage) { u.ranges, u.changes = 0, 0 }), RWMutex, "nothing shows that it is hot"},
		{"ranged less", with(ranged, func(u *usage) { u.ranges = 9 }), RWMutex, "all entries are looked at while entries change"},
		{"ranged, changed by callers", with(ranged, func(u *usage) { u.callers = true }), RWMutex, "all entries are looked at while entries change"},
		{"ranged, large", with(ranged, func(u *usage) { u.hint = 1001 }), RWMutex, "all entries are looked at while entries change"},
		{"counted", with(changed, func(u *usage) { u.lens = 1 }), RWMutex, "all entries are looked at while entries change"},
		{"stays", stays, SyncMap, "entries stay, and are loaded a hundred times as often as stored"},
		{"stays, large", with(stays, func(u *usage) { u.hint = 10_001 }), RWMutex, "no other form was measured to be faster for such a use"},
		{"stays, stored more", with(stays, func(u *usage) { u.changes = 11 }), RWMutex, "no other form was measured to be faster for such a use"},
		{"removed", with(stays, func(u *usage) { u.removals = 1 }), RWMutex, "no other form was measured to be faster for such a use"},
		{"stays, of many", with(stays, func(u *usage) { u.instances = many }), RWMutex, "there may be many of it"},
		{"stays, of who knows", with(stays, func(u *usage) { u.instances = anyNumber }), RWMutex, "there may be many of it"},
		{"stays, of who knows, hot", with(stays, func(u *usage) { u.instances, u.hot = anyNumber, "hot" }), SyncMap, "entries stay, and are loaded a hundred times as often as stored"},
		{"stays, of many, hot", with(stays, func(u *usage) { u.instances, u.hot = many, "hot" }), RWMutex, "there may be many of it"},
		{"stays, cold", with(stays, func(u *usage) { u.busy = false }), RWMutex, "nothing shows that it is hot"},
		{"changed", changed, Sharded, "many goroutines change entries"},
		{"changed, as large as shards", with(changed, func(u *usage) { u.hint = 64 }), Sharded, "many goroutines change entries"},
		{"changed, small", with(changed, func(u *usage) { u.hint = 63 }), RWMutex, "no other form was measured to be faster for such a use"},
		{"changed less", with(changed, func(u *usage) { u.loads = 100 }), RWMutex, "no other form was measured to be faster for such a use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range choices[1:] {
				if r.why(tt.u) != "" {
					continue
				}
				if r.form != tt.want || r.name != tt.row {
					t.Errorf("%s, since %s; want %s, since %s", r.form, r.name, tt.want, tt.row)
				}
				return
			}
			t.Error("no row decides")
		})
	}
}
