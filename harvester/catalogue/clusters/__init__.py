"""One dataset, once: the records of the catalogue by dataset, with the evidence that joined them."""

from harvester.catalogue.clusters.prepared import NOTHING as NOTHING
from harvester.catalogue.clusters.prepared import Prepared as Prepared
from harvester.catalogue.clusters.prepared import Sighting as Sighting
from harvester.catalogue.clusters.prepared import prepare as prepare
from harvester.catalogue.clusters.reading import Link as Link
from harvester.catalogue.clusters.reading import formerly as formerly
from harvester.catalogue.clusters.reading import links_between as links_between
from harvester.catalogue.clusters.reading import links_of as links_of
from harvester.catalogue.clusters.reading import of_decision as of_decision
from harvester.catalogue.clusters.settling import Settled as Settled
from harvester.catalogue.clusters.updating import drop as drop
from harvester.catalogue.clusters.updating import drop_source as drop_source
from harvester.catalogue.clusters.updating import forget_names as forget_names
from harvester.catalogue.clusters.updating import look_at as look_at
from harvester.catalogue.clusters.updating import renamed as renamed
from harvester.catalogue.clusters.updating import standing as standing
from harvester.catalogue.clusters.updating import update as update
