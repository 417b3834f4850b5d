"""Scores of the metadata quality assessment, kept over time."""
