// Package money counts in cents.
package money

import "fmt"

// Cents is an amount of money.
type Cents int64

// String gives the amount with two decimals.
func (c Cents) String() string { return fmt.Sprintf("%d.%02d", c/100, c%100) }
