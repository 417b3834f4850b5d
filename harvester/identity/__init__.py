"""Which records are one dataset: how each is known, and what tells two of them together or apart."""

from harvester.identity.keys import LONGEST_NOTATION as LONGEST_NOTATION
from harvester.identity.keys import Known as Known
from harvester.identity.keys import known_as as known_as
from harvester.identity.keys import match_keys as match_keys
from harvester.identity.keys import public_key as public_key
