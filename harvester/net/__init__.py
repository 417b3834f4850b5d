"""The parts of the HTTP client: addresses, guard, pace, rules for answers, bodies.  Use `harvester.http`."""
