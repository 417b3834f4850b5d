"""Publishers, each one agent across portals."""
