"""``Metaverse/SingleZone-v0``: one zone, one number as action."""

from typing import Any

from metaverse_env.envs.single import MetaverseEnv
from metaverse_env.errors import ConfigurationError
from metaverse_env.scenario import Scenario


class SingleZoneEnv(MetaverseEnv):
    """One zone, for DQN and other discrete learners.

    Version History:
        v0: first version.

    Raises:
        ConfigurationError: A scenario of several zones.
    """

    def __init__(self, scenario: str | Scenario = "single_zone", **arguments: Any) -> None:
        super().__init__(scenario, **arguments)
        zones = len(self.shell.world.zones)
        if zones != 1:
            raise ConfigurationError(f"Metaverse/SingleZone-v0 has one zone, got {zones}; use Metaverse/MultiZone-v0")
