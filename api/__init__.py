"""The HTTP face of the catalogue: search and administration facts as JSON, DCAT-AP as RDF, and a few plain pages."""

from api.app import create_app

__all__ = ["create_app"]
