"""Classical controllers: what operators run today, as the yardstick of whatever is learned.

All are batch-first and answer a :class:`~metaverse_env.contracts.View` with a command, exactly as on a cluster; none of
them looks at an action space.
"""
