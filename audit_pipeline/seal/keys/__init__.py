"""Keys: their forms and files, tokens that hold them, and who signs with them."""
