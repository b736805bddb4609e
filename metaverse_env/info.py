"""What ``info`` holds, as a page: every key and every column with its unit.

``python -m metaverse_env.info`` prints it; a test holds the committed page, and the environments, against it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from metaverse_env.simulator.records import OUTCOME, TELEMETRY, WORLD_REWARD


class Entry(NamedTuple):
    """One key or column."""

    name: str
    unit: str
    meaning: str


KEYS: Final = (
    Entry("telemetry", "record `[Z]`", "what was observed: old by `age_s`, held where `observed` is 0"),
    Entry("time_s", "s", "time within the week at the end of the tick; Monday 00:00 UTC is 0"),
    Entry("price_factor", "1", "price level that multiplies the prices of resources"),
    Entry("outcome", "record `[Z]`", "what truly happened in the tick, hidden causes included; not after a reset"),
    Entry("reward_terms", "dict", "what the tick was worth to the whole world, and why; not after a reset"),
)
"""Of the single environment."""

TEAM_KEYS: Final = (
    Entry("telemetry", "record", "of the agent's zone alone"),
    Entry("outcome", "record", "of the agent's zone alone"),
    Entry("local_reward", "1", "minus the cost of the agent's zone over that of provisioning it for its peak"),
    Entry("global_reward", "1", "the whole world's reward, the same for all agents"),
)
"""Of an agent of the PettingZoo environments."""

CLUSTER_KEYS: Final = (
    Entry("report", "mapping", "what the cluster has to say of the tick, the same for all agents; not after a reset"),
)
"""Of the single environment and of teams, beside their own, where the world is a cluster."""

VECTOR_KEYS: Final = (
    Entry("_KEY", "bool `[W]`", "for every key: the worlds in which it means something"),
    Entry("final_obs", "`[W, size]`", "with `SameStep`: last observations of the episodes that are over"),
    Entry("final_info", "dict", "with `SameStep`: the same keys as above, of the last tick of these episodes"),
)
"""Of the vector environment, beside those of the single one, which then have a leading axis `W`."""

TELEMETRY_COLUMNS: Final = (
    Entry("users", "users", "who is there"),
    Entry("usage", "cores, MB, Mbps", "what is in use"),
    Entry("latency_p50_ms", "ms", "median latency over the tick"),
    Entry("latency_ms", "ms", "p95 latency over the tick"),
    Entry("latency_p99_ms", "ms", "p99 latency over the tick"),
    Entry("age_s", "s", "age of the values above"),
    Entry("observed", "0 or 1", "1 if a new sample arrived in this tick; else they are held from before"),
    Entry("allocation", "cores, MB, Mbps", "allocation in effect"),
    Entry("pending", "cores, MB, Mbps", "the latest command; in effect or on its way"),
    Entry("handover", "1", "share of new sessions that a neighbour serves"),
    Entry("ready", "0 or 1", "1 if the zone serves"),
    Entry("restarts", "1", "restarts so far in the episode"),
    Entry("node_free", "1", "least share of a resource of the zone's node that nobody has; negative if overcommitted"),
    Entry("signals", "1", "announcements encoded in this tick; 0 masks the intent"),
)

OUTCOME_COLUMNS: Final = (
    Entry("users", "users", "who is at home in the zone"),
    Entry("arrivals", "users", "who came from outside in the tick"),
    Entry("departures", "users", "who left for outside"),
    Entry("moved_in", "users", "who arrived from other zones"),
    Entry("moved_out", "users", "who set out for other zones"),
    Entry("dropped", "users", "who left for good because the zone was killed"),
    Entry("activity", "index", "what they do, as an index of the scenario's activities"),
    Entry("announced_activity", "index", "what they announce; the same while they announce nothing"),
    Entry(
        "demand",
        "cores, MB, Mbps",
        "what they need; of memory what its use tends to, or, learned or recorded, what is in use",
    ),
    Entry("served", "cores, MB, Mbps", "demand that the zone serves, handed over included"),
    Entry("allocation", "cores, MB, Mbps", "what the zone had, weighted by time, after its node's limits"),
    Entry("charged", "cores, MB, Mbps", "what is paid for, weighted by time"),
    Entry("changed", "0 or 1", "1 if the command changed the allocation"),
    Entry("backlog_s", "s", "delay by CPU work that is left over"),
    Entry("time_dilation", "1", "speed of the world server: 1 in time, less when overloaded, 0 when down"),
    Entry("bandwidth_loss", "1", "share of egress that is lost"),
    Entry("latency_p50_ms", "ms", "median latency of whom the zone serves"),
    Entry("latency_ms", "ms", "their p95 latency"),
    Entry("latency_p99_ms", "ms", "their p99 latency"),
    Entry("felt_latency_ms", "ms", "p95 latency of the zone's own users, wherever they are served"),
    Entry("violated_user_s", "user-seconds", "time of these users above the latency objective"),
    Entry("excess_user_ms", "users x ms", "these users times their latency above the objective"),
    Entry("down", "0 or 1", "1 if the zone served nobody"),
    Entry("out_of_memory", "0 or 1", "1 if it was killed for want of memory in this tick"),
)

REWARD_TERMS: Final = (
    Entry("reward", "1", "the global reward"),
    Entry("resource_eur_per_h", "EUR/h", "price of what is allocated"),
    Entry("change_eur_per_h", "EUR/h", "charges for changes"),
    Entry("quality_eur_per_h", "EUR/h", "charge for users above the latency objective"),
    Entry("fairness_penalty", "1", "weight x standard deviation over zones of the violated share"),
    Entry("violated_user_share", "1", "share of user-seconds above the latency objective"),
    Entry("mean_latency_ms", "ms", "p95 latency, mean over users"),
    Entry("users", "users", "in all zones"),
    Entry("changes", "1", "zones whose command changed the allocation"),
    Entry("out_of_memory_kills", "1", "zones that were killed for want of memory"),
)

_INTRODUCTION: Final = """\
# Info

What `info` holds beside observation and reward; made by `python -m metaverse_env.info`. A record has a column for each
name, an array over the zones `[Z]`, or `[Z, 3]` where three units are given: `info["telemetry"]["users"]`. Policies
must not look at `outcome`: on a cluster nobody knows it in time.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield from _table("Keys", "key", KEYS)
    yield from _table('`info["telemetry"]`', "column", TELEMETRY_COLUMNS, TELEMETRY)
    yield from _table('`info["outcome"]`', "column", OUTCOME_COLUMNS, OUTCOME)
    yield from _table('`info["reward_terms"]`', "key", REWARD_TERMS, WORLD_REWARD)
    yield from _table("`infos[AGENT]` of a team (PettingZoo), empty after a reset", "key", TEAM_KEYS)
    yield from _table("Where the world is a cluster, further keys", "key", CLUSTER_KEYS)
    yield from _table("`infos` of the vector environment, further keys", "key", VECTOR_KEYS)


def _table(title: str, kind: str, entries: tuple[Entry, ...], layout: np.dtype[np.void] | None = None) -> Iterator[str]:
    """Yield one table; of a record in the order of its columns, every one of which must be described."""
    found = {entry.name: entry for entry in entries}
    yield f"## {title}\n\n| {kind} | unit | meaning |\n|---|---|---|"
    for name in found if layout is None else layout.names or ():
        yield f"| `{name}` | {found[name].unit} | {found[name].meaning} |"
    yield ""


if __name__ == "__main__":
    print(page(), end="")
