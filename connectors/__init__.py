"""The connectors that ship with the harvester; each is a module of the protocol in `harvester.connector`."""
