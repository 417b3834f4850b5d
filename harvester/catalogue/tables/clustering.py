"""What tells records together or apart, and what people decided about it."""
