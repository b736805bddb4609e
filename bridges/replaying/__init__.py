"""Recorded actions onto a cluster: each done exactly once, with a receipt, however often it is interrupted."""
