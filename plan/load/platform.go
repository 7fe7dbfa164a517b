package load

import (
	"fmt"
	"slices"
	"strings"
)

// This file knows the platforms that Go builds for, and tells the go command to list those of another one.

// Platforms lists the platforms that there are, as GOOS/GOARCH: the usual ones first, so that of several that would do the
// first is the one to propose.
var Platforms = []string{
	"linux/amd64", "windows/amd64", "darwin/arm64", "linux/arm64", "darwin/amd64", "windows/arm64", "freebsd/amd64", "openbsd/amd64",
	"netbsd/amd64", "linux/386", "windows/386", "linux/arm", "js/wasm", "wasip1/wasm", "android/arm64", "ios/arm64", "solaris/amd64",
	"illumos/amd64", "dragonfly/amd64", "aix/ppc64", "plan9/amd64", "linux/ppc64le", "linux/riscv64", "linux/s390x", "linux/loong64",
	"linux/mips", "linux/mips64", "linux/mips64le", "linux/mipsle", "linux/ppc64", "android/386", "android/amd64", "android/arm",
	"freebsd/386", "freebsd/arm", "freebsd/arm64", "ios/amd64", "netbsd/386", "netbsd/arm", "netbsd/arm64", "openbsd/386", "openbsd/arm",
	"openbsd/arm64", "openbsd/ppc64", "openbsd/riscv64", "plan9/386", "plan9/arm",
}

// CheckPlatform returns an error if there is no platform of that name.
func CheckPlatform(name string) error {
	if !slices.Contains(Platforms, name) {
		return fmt.Errorf("unknown platform %q: want GOOS/GOARCH, such as linux/amd64; 'go tool dist list' lists them", name)
	}
	return nil
}

// forPlatform returns the variables of the environment that make the go command list what is built for a platform; none for the
// one that it takes by itself.
func forPlatform(platform string) []string {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return nil
	}
	return []string{"GOOS=" + goos, "GOARCH=" + goarch}
}
