"""What stands between a policy and a cluster: pure functions that let a wish through, or less of it, and say why.

A wish is an array ``[Z, 4]`` of :data:`~bridges.shield.clamps.QUANTITIES`, ``nan`` where nothing is asked. The rules
stand in :mod:`.rules` and :mod:`.floors`, their order in :mod:`.judging`, what they remember in :mod:`.memory`, and
their one owner at work in :mod:`.guard`.
"""
