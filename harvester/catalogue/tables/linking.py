"""Addresses of distributions, each checked once."""
