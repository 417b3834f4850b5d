"""Link checks: each address of the catalogue asked once, however many datasets name it."""

from harvester.links.facts import Known, LinkFacts, statuses

__all__ = ["Known", "LinkFacts", "statuses"]
