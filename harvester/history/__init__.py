"""What became of each record: how two states differ, told in words and lines; what is kept, and for how long."""
