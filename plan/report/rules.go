package report

import "mapmend/plan"

// rules says what each kind is, for the formats that list them, and stands in the order of plan.Kinds.
var rules = map[plan.Kind]string{
	plan.InconsistentGuard: "The map is used without the lock that other uses hold",
	plan.WriteUnderRLock:   "The map is written while its guard is held for reading only",
	plan.WrongGuard:        "The lock that is held is not the one that guards the map",
	plan.CopiedLock:        "The lock that is held is a copy, and guards nothing",
	plan.UnguardedShared:   "Goroutines share the map, and nothing guards it",
	plan.AliasEscape:       "The map leaves the section of its guard, and is used outside while it changes",
	plan.ValueEscape:       "A value of the map leaves the section of its guard, and shares with the map what changes under it",
	plan.TornReplace:       "The map is replaced while others read the variable",
	plan.Contended:         "Goroutines wait for the lock around the map, as a profile shows",
	plan.SplitCheckAct:     "The map is checked in one section and changed in another, and may have changed in between",
}
