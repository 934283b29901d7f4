// Package order is what the shop and its partners exchange.
package order

import (
	"encoding/json"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Line is one position of an order.
type Line struct {
	Item   string `json:"item"`
	Pieces int    `json:"pieces"`
}

// Order is what a customer asks for.
type Order struct {
	Customer string `json:"customer"`
	Lines    []Line `json:"lines"`
}

// Encode gives the order's form on the wire and the checksum that partners hold it against.
func (o Order) Encode() (wire []byte, checksum string, err error) {
	wire, err = json.Marshal(o)
	if err != nil {
		return nil, "", fmt.Errorf("order of %s: %w", o.Customer, err)
	}
	return wire, fmt.Sprintf("%016x", xxhash.Sum64(wire)), nil
}
