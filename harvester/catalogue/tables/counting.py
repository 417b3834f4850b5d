"""What key figures are read from."""
