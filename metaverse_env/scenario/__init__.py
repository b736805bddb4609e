"""Scenarios: every constant of a world, frozen and validated, by name or from a file.

>>> from metaverse_env.scenario import load_scenario
>>> load_scenario("multi_zone").layout.zones
30
"""

from metaverse_env.scenario.catalogue import SCENARIOS, load_scenario
from metaverse_env.scenario.root import Scenario

__all__ = ["SCENARIOS", "Scenario", "load_scenario"]
