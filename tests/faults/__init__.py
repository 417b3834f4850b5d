"""Fake portals that misbehave in every way that harvesters are known to suffer from, and what must be true after."""
