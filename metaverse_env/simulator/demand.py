"""What n users would consume if nothing limited them (world model, section 3)."""

from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator.arithmetic import exp


@compiled
def linear_and_pairwise(users: float, base: float, per_user: float, per_pair: float, others: float) -> float:
    """Return ``base + per_user n + per_pair n min(n - 1, others)``, in the unit of its coefficients.

    Egress measured on Mozilla Hubs grows as N^1.97 for 2-16 users [M]: everyone receives everyone, up to the ``others``
    in a user's area of interest.

    >>> linear_and_pairwise(10.0, 1.0, 0.5, 0.1, 4.0)
    10.0
    """
    return base + per_user * users + per_pair * users * min(max(users - 1.0, 0.0), others)


@compiled
def demand_of_users(
    users: float, cpu: float, memory: float, bandwidth: float, rules: Any
) -> tuple[float, float, float]:
    """Return the demand of a zone's users before noise: cores, MB, Mbps.

    Args:
        users: How many there are (a share may be served elsewhere, so not only whole ones).
        cpu: Multiplier of CPU per user and pair, from the activity.
        memory: Multiplier of memory per user.
        bandwidth: Multiplier of egress per user and pair.
        rules: The scenario's constants.
    """
    others = rules.area_of_interest_users
    per_user, per_pair = rules.cpu_per_user_mcores * 1e-3 * cpu, rules.cpu_per_pair_mcores * 1e-3 * cpu
    cores = linear_and_pairwise(users, rules.cpu_base_cores, per_user, per_pair, others)
    per_user, per_pair = rules.bandwidth_per_user_mbps * bandwidth, rules.bandwidth_per_pair_mbps * bandwidth
    mbps = linear_and_pairwise(users, 0.0, per_user, per_pair, others)
    megabytes = linear_and_pairwise(users, rules.memory_base_mb, rules.memory_per_user_mb * memory, 0.0, others)
    return cores, megabytes, mbps


@stage
def lognormal_factor(noise: float, sigma: float) -> float:
    """Return a multiplicative noise factor of mean 1 from a standard normal ``noise``."""
    factor: float = exp(sigma * noise - 0.5 * sigma * sigma)
    return factor


@stage
def autoregress(value: float, keep: float, gain: float, innovation: float) -> float:
    """Advance a standard normal AR(1) process by one step.

    Args:
        value: The process.
        keep: Its autocorrelation after one step.
        gain: ``sqrt(1 - keep^2)``, which keeps the variance at 1; given, as a root costs more than all the rest.
        innovation: A standard normal variate.
    """
    return keep * value + gain * innovation


@compiled
def sticky(value: float, goal: float, gain_up: float, gain_down: float) -> float:
    """Move ``value`` toward ``goal``, at one speed when growing and another when shrinking (memory, MB)."""
    return value + (gain_up if goal > value else gain_down) * (goal - value)
