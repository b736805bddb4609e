"""Encoders: from images, speech and motion to the text and the embeddings that worlds call intents."""
