"""RDF both ways: DCAT feeds into datasets, datasets into DCAT-AP 3.0.1, through one table (`profile`)."""
