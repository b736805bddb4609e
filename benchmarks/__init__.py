"""How well and how fast: suites, statistics and reports over worlds, forecasters and agents.

The top storey, which may import everything below. Nothing is imported with the package itself.
"""
