"""The tables of the catalogue, by what they serve; a comment on every column whose null means something."""

from harvester.catalogue.tables.core import LIVE as LIVE
from harvester.catalogue.tables.core import LIVE_RUN as LIVE_RUN
from harvester.catalogue.tables.core import VISIBLE as VISIBLE
from harvester.catalogue.tables.core import bodies as bodies
from harvester.catalogue.tables.core import changes as changes
from harvester.catalogue.tables.core import counters as counters
from harvester.catalogue.tables.core import datasets as datasets
from harvester.catalogue.tables.core import documents as documents
from harvester.catalogue.tables.core import identifiers as identifiers
from harvester.catalogue.tables.core import match_keys as match_keys
from harvester.catalogue.tables.core import metadata as metadata
from harvester.catalogue.tables.core import notices as notices
from harvester.catalogue.tables.core import problems as problems
from harvester.catalogue.tables.core import records as records
from harvester.catalogue.tables.core import revisions as revisions
from harvester.catalogue.tables.core import runs as runs
from harvester.catalogue.tables.core import sources as sources
from harvester.catalogue.tables.core import spaces as spaces
from harvester.catalogue.tables.core import tokens as tokens
from harvester.catalogue.tables.core import unmatched as unmatched
from harvester.catalogue.tables.following import followers as followers
