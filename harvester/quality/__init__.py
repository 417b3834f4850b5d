"""The metadata quality assessment (MQA) of data.europa.eu, on what we export: 23 indicators, 405 points, the way up."""

from harvester.quality.indicators import BY_NAME, INDICATORS, MOST, Dimension, Indicator, Level, band
from harvester.quality.mqa import Reading, Score, score

__all__ = ["BY_NAME", "INDICATORS", "MOST", "Dimension", "Indicator", "Level", "Reading", "Score", "band", "score"]
