module example.com/shop/proto

go 1.24.0

require github.com/cespare/xxhash/v2 v2.3.0
