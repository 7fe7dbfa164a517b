package main

// This file is the command config: the configuration that counts, and where each value of it comes from.

import (
	"fmt"
	"os/exec"
	"strings"

	"mapmend/plan/config"
)

func configuring(inv *invocation) int {
	if len(inv.args) > 0 {
		inv.errorf("config takes no packages: a module or workspace has one configuration")
		return exitError
	}
	if err := inv.configure(inv.dir); err != nil {
		return inv.unconfigured(err)
	}
	places, err := inv.places(inv.dir)
	if err != nil {
		return inv.fail(err)
	}
	inv.tellUnread()
	head, file := "# There is no module here, and so no configuration.\n", ""
	switch {
	case inv.settings != nil:
		file = inv.rel(inv.dir)(inv.settings.File)
		head = fmt.Sprintf("# From %s, the command line and the environment.\n", file)
	case len(places.Read) > 0:
		head = fmt.Sprintf("# There is no %s.\n", inv.rel(inv.dir)(places.Read[0]))
	}
	text, err := inv.effective().YAML(file)
	if err != nil {
		return inv.fail(err)
	}
	return inv.print(head + string(text))
}

// effective returns the configuration with what the command line and the environment say in its place, and the defaults.
func (inv *invocation) effective() *config.Config {
	c := new(config.Config)
	if inv.settings != nil {
		*c = *inv.settings
	}
	c.MinConfidence = inv.counts("min-confidence", c.MinConfidence)
	c.Tags = inv.counts("tags", c.Tags)
	c.Platforms = inv.counts("platforms", c.Platforms)
	c.Tests = inv.counts("tests", c.Tests)
	if text, ok := inv.environmentTags(); ok && c.Tags.Text == "" {
		c.Tags = config.Value{Text: text, Place: config.Place{Elsewhere: "GOFLAGS"}}
	}
	if len(inv.forms) > 0 {
		form := config.Form{Variable: "*", Place: config.Place{Elsewhere: "--form"}}
		for _, f := range inv.forms {
			form.Forms = append(form.Forms, string(f))
		}
		c.Forms = []config.Form{form}
	}
	return c
}

// counts returns the value that counts of what the flag of that name and the file say.
func (inv *invocation) counts(flag string, file config.Value) config.Value {
	f := inv.flags.Lookup(flag)
	if file.Said() && !f.Changed {
		return file
	}
	from := "default"
	if f.Changed {
		from = "--" + flag
	}
	return config.Value{Text: f.Value.String(), Place: config.Place{Elsewhere: from}}
}

// environmentTags returns the build tags that GOFLAGS asks for, of the environment or of go env -w. They count where there are no others.
func (inv *invocation) environmentTags() (tags string, ok bool) {
	ctx, free := inv.signals.hold()
	defer free()
	cmd := exec.CommandContext(ctx, "go", "env", "GOFLAGS")
	cmd.Dir = inv.dir
	out, err := cmd.Output()
	if err != nil {
		return "", false
	}
	for flag := range strings.FieldsSeq(string(out)) {
		if value, found := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); found {
			tags, ok = value, true
		}
	}
	return tags, ok
}
