"""Fits the world model's constants of demand and service to recordings, and judges them on other recordings."""
