// Package catalog knows what the shop sells. Its list is embedded in the program.
package catalog

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"example.com/shop/shared/money"
	"example.com/slug"
)

//go:embed catalog.csv
var list string

// Item is something on sale.
type Item struct {
	ID    string
	Name  string
	Price money.Cents
}

// Load reads the embedded list.
func Load() (map[string]Item, error) {
	items := make(map[string]Item)
	for i, line := range strings.Split(strings.TrimSpace(list), "\n") {
		name, price, ok := strings.Cut(line, ",")
		if !ok {
			return nil, fmt.Errorf("catalog.csv:%d: no price", i+1)
		}
		cents, err := strconv.ParseInt(price, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("catalog.csv:%d: %w", i+1, err)
		}
		id := slug.Make(name)
		items[id] = Item{ID: id, Name: name, Price: money.Cents(cents)}
	}
	return items, nil
}
