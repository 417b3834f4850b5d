"""Key figures: what the catalogue holds, how it grows, and whether it is as fresh as its producers promise."""
