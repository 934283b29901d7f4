// Package slug turns names into identifiers.
package slug

import "strings"

// Make gives the lower-case form of a name with hyphens for spaces.
func Make(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
}
