"""Harvests the metadata of many open-data portals into one catalogue, keeps it true, and serves it."""

__version__ = "0.1.0"
