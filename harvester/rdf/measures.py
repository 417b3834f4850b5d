"""Measurements of quality beside what was measured (W3C DQV); they are ours, and no source's: reading leaves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from harvester.rdf.namespaces import expand
from harvester.rdf.nodes import XSD

if TYPE_CHECKING:
    from harvester.rdf.writing import Block, Pen

# Where a dataset or distribution that is to be written has them: (metric, value).
MEASURES = "measures"
Measures = Sequence[tuple[str, bool | int]]
_MEASUREMENT, _HAS = expand("dqv:QualityMeasurement"), expand("dqv:hasQualityMeasurement")
_OF, _VALUE = expand("dqv:isMeasurementOf"), expand("dqv:value")


def measures_writer(pen: Pen) -> Callable[[Block, list[bytes], Measures], None]:
    """One node for each measurement."""
    types = pen.syntax.types((_MEASUREMENT,))
    before, behind = pen.around("", _HAS)

    def emit(block: Block, facts: list[bytes], value: Measures) -> None:
        nodes = []
        for metric, measured in value:
            nodes.append(pen.syntax.ref(node := block.label()))
            of = pen.fact("", _OF, pen.syntax.ref(metric))
            block.add(pen.syntax.node(node, [*types, of, pen.fact("", _VALUE, _literal(pen, measured))]))
        facts += pen.syntax.several(before, nodes, behind)

    return emit


def _literal(pen: Pen, value: bool | int) -> bytes:
    if isinstance(value, bool):
        return pen.syntax.typed("true" if value else "false", XSD + "boolean")
    return pen.syntax.typed(str(value), XSD + "integer")
