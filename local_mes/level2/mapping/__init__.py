"""What messages mean, as data: the plant's signals by name, and entries that make operations of what is told of them."""
