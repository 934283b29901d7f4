module example.com/shop/shared

go 1.24.0

require example.com/slug v0.0.0
