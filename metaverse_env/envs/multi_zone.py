"""``Metaverse/MultiZone-v0`` and ``Metaverse/Complex-v0``: many zones that neighbour each other and share nodes."""

from typing import Any

from metaverse_env.envs.single import MetaverseEnv
from metaverse_env.scenario import Scenario


class MultiZoneEnv(MetaverseEnv):
    """Thirty zones by default; the action steers all of them.

    Version History:
        v0: first version.
    """

    def __init__(self, scenario: str | Scenario = "multi_zone", **arguments: Any) -> None:
        super().__init__(scenario, **arguments)


class ComplexEnv(MetaverseEnv):
    """Thirty zones in trouble: flash crowds, lost nodes, outages, degraded networks, moving prices, missing metrics.

    Version History:
        v0: first version.
    """

    def __init__(self, scenario: str | Scenario = "complex", **arguments: Any) -> None:
        super().__init__(scenario, **arguments)
