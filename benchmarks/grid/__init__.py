"""``metaverse benchmark suite``: many comparisons at once, in parallel processes, and one table of them all.

A grid is policies by conditions. A condition is a :class:`~benchmarks.conditions.Conditions` with a folder of its own,
which ``metaverse benchmark run`` could have filled; a block of its worlds under one policy is a piece of work
(:mod:`~benchmarks.grid.worker`), which a process of the pool (:mod:`~benchmarks.grid.pool`) takes. What came of all is
summed up once (:mod:`~benchmarks.grid.findings`), and shown as text (:mod:`~benchmarks.grid.tables`) and as a picture
(:mod:`~benchmarks.grid.picture`).
"""
