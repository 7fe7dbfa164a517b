package load

// This file tells the go command what files are to hold, in place of what they do.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// OverlayFile writes what the go command's flag -overlay takes, to a new folder, and returns its name and what removes the folder.
// Without an overlay the name is empty.
func OverlayFile(overlay map[string][]byte) (name string, remove func(), err error) {
	if len(overlay) == 0 {
		return "", func() {}, nil
	}
	dir, err := os.MkdirTemp("", "mapmend-overlay-*")
	if err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	replace := make(map[string]string, len(overlay))
	for file, content := range overlay {
		if content == nil {
			replace[file] = "" // it is not there
			continue
		}
		temp := filepath.Join(dir, fmt.Sprintf("%d-%s", len(replace), filepath.Base(file)))
		if err := os.WriteFile(temp, content, 0o600); err != nil {
			return "", nil, err
		}
		replace[file] = temp
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", nil, err
	}
	name = filepath.Join(dir, "overlay.json")
	return name, func() { os.RemoveAll(dir) }, os.WriteFile(name, list, 0o600)
}
