// Shop prints the receipt of one order.
package main

import (
	"flag"
	"fmt"
	"os"

	"example.com/shop/app/internal/receipt"
	"example.com/shop/proto/order"
	"example.com/shop/shared/catalog"
)

func main() {
	customer := flag.String("customer", "Ada", "who orders")
	flag.Parse()
	items, err := catalog.Load()
	if err == nil {
		err = receipt.Print(os.Stdout, items, order.Order{
			Customer: *customer,
			Lines:    []order.Line{{Item: "blue-teapot", Pieces: 1}, {Item: "oolong", Pieces: 3}},
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}
