module example.com/shop/app

go 1.24.0

require github.com/mattn/go-pointer v0.0.1
