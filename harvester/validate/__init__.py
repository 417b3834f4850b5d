"""Whether DCAT-AP is what it should be: shapes, run dataset by dataset, and their findings in plain words."""

from harvester.validate.checks import Checker
from harvester.validate.findings import Finding, Severity, Totals
from harvester.validate.shapes import own_shapes, read_shapes

__all__ = ["Checker", "Finding", "Severity", "Totals", "own_shapes", "read_shapes"]
