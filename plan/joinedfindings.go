package plan

import (
	"cmp"
	"slices"
)

// This file makes one list of what was found on several platforms: a finding for each variable, with the places of all of them.

// foundOn is a finding of one platform.
type foundOn struct {
	platform string
	Finding
}

// joinedFindings returns one finding for each variable that one of builds has some on.
func joinedFindings(builds []Build) []Finding {
	var vars []Var
	all := make(map[Var][]foundOn)
	for _, b := range builds {
		for _, f := range b.Plan.Findings {
			if all[f.Var] == nil {
				vars = append(vars, f.Var)
			}
			all[f.Var] = append(all[f.Var], foundOn{b.Platform, f})
		}
	}
	var out []Finding
	for _, v := range vars {
		out = append(out, joinedFinding(all[v], len(builds)))
	}
	return out
}

// joinedFinding returns what the findings on one variable are together: the surest, of those the first kind, with the sites and the
// evidence of all. Of is how many platforms there are.
func joinedFinding(found []foundOn, of int) Finding {
	f := slices.MinFunc(found, func(a, b foundOn) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)))
	}).Finding
	f.Evidence = slices.Clone(f.Evidence)
	for _, o := range found {
		for _, e := range o.Evidence {
			if !slices.Contains(f.Evidence, e) {
				f.Evidence = append(f.Evidence, e)
			}
		}
		if (o.Confidence > Silent) == (f.Confidence > Silent) {
			f.Platforms = append(f.Platforms, o.platform)
		}
	}
	if len(f.Platforms) == of {
		f.Platforms = nil
	} else {
		f.Message += onPlatforms(f.Platforms)
	}
	told := toldSites(found)
	f.Sites = nil
	for _, s := range told {
		f.Sites = append(f.Sites, s.Site)
	}
	if f.Story != nil {
		f.Story = joinedStory(*f.Story, found, told)
	}
	return f
}

// told is a site with what a Story says of it.
type told struct {
	Site
	ways  []string
	holds bool
}

// toldSites returns the sites of all of found, each once: as where it is a problem, if it is one anywhere.
func toldSites(found []foundOn) []told {
	var out []told
	for _, f := range found {
		for i, s := range f.Sites {
			t := told{Site: s}
			if f.Story != nil {
				t.ways, t.holds = f.Story.Ways[i], slices.Contains(f.Story.Holding, i)
			}
			k := slices.IndexFunc(out, func(o told) bool { return o.Pos == s.Pos })
			if k < 0 {
				out = append(out, t)
				continue
			}
			for _, way := range t.ways {
				if !slices.Contains(out[k].ways, way) && len(out[k].ways) < maxWays {
					out[k].ways = append(slices.Clip(out[k].ways), way)
				}
			}
			out[k].holds = out[k].holds && t.holds
			if t.Problem && !out[k].Problem {
				out[k].Site = s
			}
		}
	}
	slices.SortStableFunc(out, func(a, b told) int { return comparePos(a.Pos, b.Pos) })
	return out
}

// joinedStory returns s, which is of one of found, about the sites of all.
func joinedStory(s Story, found []foundOn, sites []told) *Story {
	s.Holding, s.Ways, s.Doubts = []int{}, nil, []string{}
	for _, f := range found {
		s.Declared = s.Declared || f.Story.Declared
		s.Doubts = append(s.Doubts, f.Story.Doubts...)
	}
	slices.Sort(s.Doubts)
	s.Doubts = slices.Compact(s.Doubts)
	for i, t := range sites {
		s.Ways = append(s.Ways, t.ways)
		if t.holds {
			s.Holding = append(s.Holding, i)
		}
	}
	return &s
}

// joinedSilenced returns what was silenced in each of builds, once.
func joinedSilenced(builds []Build) (out []Silenced) {
	for _, b := range builds {
		for _, s := range b.Plan.Silenced {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// joinedNotes returns the notes that all builds have which have the file that they are about: what has no effect on one platform may
// have one on another.
func joinedNotes(builds []Build) (out []Note) {
	for _, b := range builds {
		for _, n := range b.Plan.Notes {
			if slices.Contains(out, n) {
				continue
			}
			denied := slices.ContainsFunc(builds, func(o Build) bool {
				files := loadedIn(o.Prog)
				knows := files[n.Pos.File] != nil || loadedIn(b.Prog)[n.Pos.File] == nil // the configuration, say
				return knows && !slices.Contains(o.Plan.Notes, n)
			})
			if !denied {
				out = append(out, n)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Note) int { return comparePos(a.Pos, b.Pos) })
	return out
}

// saidByAll returns what all builds say of the evidence that names no variable of theirs.
func saidByAll(builds []Build) (out []string) {
	for _, text := range builds[0].Plan.Unnamed {
		if !slices.ContainsFunc(builds, func(b Build) bool { return !slices.Contains(b.Plan.Unnamed, text) }) {
			out = append(out, text)
		}
	}
	return out
}

// saidByAny returns what one of builds says of locks that are not hot.
func saidByAny(builds []Build) (out []string) {
	for _, b := range builds {
		for _, text := range b.Plan.Measured {
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out
}
