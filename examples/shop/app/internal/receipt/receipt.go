// Package receipt prints what an order costs.
package receipt

import (
	"fmt"
	"io"

	"example.com/shop/proto/order"
	"example.com/shop/shared/catalog"
	"example.com/shop/shared/money"
	"github.com/mattn/go-pointer"
)

// Print writes a line a position, the total and the checksum of the order's form on the wire.
func Print(w io.Writer, items map[string]catalog.Item, o order.Order) error {
	var total money.Cents
	fmt.Fprintf(w, "order of %s\n", o.Customer)
	for _, line := range o.Lines {
		item, ok := items[line.Item]
		if !ok {
			return fmt.Errorf("no item %q", line.Item)
		}
		sum := item.Price * money.Cents(line.Pieces)
		total += sum
		fmt.Fprintf(w, "%3d x %-12s %8s\n", line.Pieces, item.Name, sum)
	}
	fmt.Fprintf(w, "total %18s\n", total)
	wire, checksum, err := o.Encode()
	if err != nil {
		return err
	}
	// The handle is a C pointer: what a C library would be given to hold the order by.
	handle := pointer.Save(o)
	defer pointer.Unref(handle)
	held := pointer.Restore(handle).(order.Order)
	fmt.Fprintf(w, "%d bytes for %s, checksum %s\n", len(wire), held.Customer, checksum)
	return nil
}
