"""Whether everything that a producer's portal lists has arrived at the portal that should hold it."""
