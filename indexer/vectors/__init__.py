"""Searchable vectors: one contract (``base.VectorIndex``), one file per kind."""
