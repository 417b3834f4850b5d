"""Who publishes: which names, numbers and addresses on many portals are one agent's.  Pure."""

from harvester.agents.faces import Face as Face
from harvester.agents.faces import face_of as face_of
from harvester.agents.grouping import RULES as RULES
from harvester.agents.grouping import Group as Group
from harvester.agents.grouping import grouped as grouped
