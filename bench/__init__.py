"""Measurements, printed as ratios to a stated floor or peer of the same run; never part of the tests."""
