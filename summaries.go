package main

// This file has check use what an earlier run found of the packages that are as they were, if something else has changed.

import (
	"crypto/sha256"
	"encoding/json"

	"mapmend/plan"
	"mapmend/plan/cache"
)

// known is what is known of packages from earlier runs. The nil known is that nothing is, and nothing is kept.
type known struct {
	*plan.Summaries
	inv   *invocation
	cache *cache.Cache
	key   cache.Key
}

// recallSummaries returns what was kept by the last run of this tool that was about the same packages in the same folder, at the revision at, which is empty for
// what is there now; nil without a cache. What decides whether a summary is still right is in the summaries: the rest only tells which
// are likely to be of use.
func (inv *invocation) recallSummaries(at string) *known {
	k := &known{inv: inv, cache: inv.answers()}
	if k.cache == nil {
		return nil
	}
	tool, err := executable()
	if err != nil {
		return nil
	}
	var kept [][]byte
	for _, revision := range []string{"", at} {
		asked, err := json.Marshal([]any{"summaries", tool, inv.dir, inv.args, inv.tags, inv.tests, inv.platforms, revision})
		if err != nil {
			return nil
		}
		k.key = sha256.Sum256(asked)
		data, _ := k.cache.Get(k.key)
		kept = append(kept, data)
	}
	k.Summaries = plan.ReadSummaries(kept...)
	return k
}

// summaries returns the summaries for the plan.
func (k *known) summaries() *plan.Summaries {
	if k == nil {
		return nil
	}
	return k.Summaries
}

// keep keeps the summaries for the next run, if one of them is new. That they cannot be kept is no error.
func (k *known) keep() {
	if k == nil {
		return
	}
	k.inv.stepf("analysed %s; of %s what is known is from an earlier run", count(k.Analysed, "package"), count(k.Recalled, "package"))
	if k.Analysed == 0 {
		return
	}
	data, err := k.Bytes()
	if err == nil {
		_, free := k.inv.signals.hold() // what is begun is finished
		defer free()
		err = k.cache.Put(k.key, data)
	}
	if err != nil {
		k.inv.stepf("what was found of the packages is not kept: %v", err)
	}
}
