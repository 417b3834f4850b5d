"""The catalogue's storage: `tables` (what is kept), `store` (every write), `queries` (every read)."""
