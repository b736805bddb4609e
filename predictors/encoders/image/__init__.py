"""Images to texts and embeddings."""
