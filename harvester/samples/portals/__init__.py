"""Fake portals with the paging rules, limits and errors of the real software."""
