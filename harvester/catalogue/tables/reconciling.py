"""Verdicts on whether everything arrived, kept over time."""
