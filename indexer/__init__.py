"""The catalog (SQL, the truth) and the index (FAISS, the cache)."""
