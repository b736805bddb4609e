"""Embeddings of sentences."""
