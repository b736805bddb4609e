"""Constants of who is in the metaverse and what they do: arrivals, sessions, migration, events, activities, intents."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from metaverse_env.scenario.fields import Spec, choice, interval, quantity


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] < 0 or pair[0] > pair[1]:
        raise ValueError(f"an interval (low, high) needs 0 <= low <= high, got {pair}")
    return pair


Interval = Annotated[tuple[float, float], AfterValidator(_ordered)]


class WorkloadSpec(Spec):
    """Users: how many arrive, how long they stay, where they go (world model, section 1)."""

    mean_users_per_zone: float = quantity(60.0, "users", "E", "Time average over all zones.", gt=0, le=1e6)
    zipf_exponent: float = quantity(0.9, "1", "M", "Popularity falls as rank^-s; measured 0.8 to 1.2.", ge=0, le=3)
    week_peak_to_trough: float = quantity(
        3.0, "1", "M", "Mean-day peak over trough; 2 open worlds, 5 venues.", ge=1, le=50
    )
    weekend_factor: float = quantity(
        1.25, "1", "E", "Arrivals on Saturday and Sunday over those of other days.", gt=0, le=10
    )
    phase_spread_h: float = quantity(2.0, "h", "M", "Range over zones of the hour of the daily peak.", ge=0, le=24)
    peak_hour: float = quantity(20.0, "h", "E", "Hour of the day, UTC, of the mean daily peak.", ge=0, lt=24)
    session_mean_s: float = quantity(1200.0, "s", "E", "Mean stay of a user in a zone.", gt=0)
    session_scv: float = quantity(
        3.0, "1", "E", "Squared coefficient of variation of the stay (1 is exponential).", ge=1, le=100
    )
    shared_ou_sigma: float = quantity(
        0.40, "1", "M", "Stationary std of the log-rate factor that all zones share.", ge=0, le=2
    )
    shared_ou_tau_s: float = quantity(9000.0, "s", "M", "Its correlation time; residuals measured at 1-5 h.", gt=0)
    own_ou_sigma: float = quantity(0.25, "1", "M", "Stationary std of each zone's own log-rate factor.", ge=0, le=2)
    own_ou_tau_s: float = quantity(7200.0, "s", "M", "Its correlation time.", gt=0)
    migration_per_h: float = quantity(
        1.5, "1/h", "E", "Moves to a neighbouring zone per user; 0 is the ablation.", ge=0, le=60
    )
    travel_s: Interval = interval(
        (30.0, 75.0), "s", "E", "Time on the way between neighbours, drawn per edge; above one tick."
    )
    event_per_day: float = quantity(0.5, "1/day", "E", "Events per zone.", ge=0, le=1000)
    event_peak: Interval = interval(
        (3.0, 8.0), "1", "M", "Arrivals at the peak of an event over normal; measured 3-10."
    )
    event_doubling_s: Interval = interval((600.0, 1200.0), "s", "M", "Doubling time at the onset; measured 10-20 min.")
    event_hold_s: Interval = interval((900.0, 2700.0), "s", "E", "Time at the peak.")
    event_decay_s: Interval = interval((3600.0, 7200.0), "s", "M", "Exponential decay time; measured 1-2 h.")
    qoe_churn: float = quantity(
        2.0, "1", "E", "Leaving rate multiplier gained per doubling of latency over the objective.", ge=0, le=20
    )


class Activity(Spec):
    """What the users of a zone do together, and how it changes what each of them costs."""

    name: str = Field(min_length=1, description="One word; the key into the bank of intents.")
    cpu: float = quantity(1.0, "1", "E", "CPU per user and pair, over normal.", gt=0, le=20)
    memory: float = quantity(1.0, "1", "E", "Memory per user, over normal.", gt=0, le=20)
    bandwidth: float = quantity(1.0, "1", "E", "Egress per user and pair, over normal.", gt=0, le=20)
    attraction: float = quantity(1.0, "1", "E", "Arrivals and incoming moves, over normal.", gt=0, le=20)
    session: float = quantity(1.0, "1", "E", "Mean stay, over normal.", gt=0, le=20)
    duration_s: float = quantity(1500.0, "s", "E", "Median duration; lognormal with sigma 0.5.", gt=0)
    weight: float = quantity(1.0, "1", "E", "Relative frequency with which it comes next.", gt=0)


DEFAULT_ACTIVITIES = (
    Activity(
        name="idle", cpu=0.6, memory=0.9, bandwidth=0.45, attraction=0.8, session=0.8, duration_s=1200.0, weight=1.5
    ),
    Activity(name="social", duration_s=1800.0, weight=2.0),
    Activity(name="trade", cpu=0.9, memory=1.1, bandwidth=0.75, duration_s=1500.0, weight=1.2),
    Activity(name="build", cpu=1.4, memory=1.5, bandwidth=0.8, attraction=0.9, session=1.5, duration_s=2400.0),
    Activity(name="game", cpu=1.9, memory=1.2, bandwidth=1.5, attraction=1.3, duration_s=1500.0, weight=1.2),
    Activity(
        name="concert", cpu=1.3, memory=1.1, bandwidth=2.2, attraction=2.0, session=1.3, duration_s=2700.0, weight=0.5
    ),
)


class IntentSpec(Spec):
    """Activities and what users let slip about the next one (world model, section 2)."""

    activities: tuple[Activity, ...] = choice(DEFAULT_ACTIVITIES, "The activities a zone moves between.")
    blend_s: float = quantity(45.0, "s", "E", "Time constant with which demand follows a change of activity.", gt=0)
    lead_s: Interval = interval(
        (60.0, 240.0), "s", "E", "How long before its start an activity is announced; 0 is the ablation."
    )
    false_rate: float = quantity(0.15, "1", "E", "Share of announcements whose activity does not come.", ge=0, le=1)
    announced_share: float = quantity(
        0.6, "1", "E", "Share of signals about the next activity, just before it starts.", ge=0, le=1
    )
    neighbour_share: float = quantity(
        0.15, "1", "E", "Share of signals about a neighbour's announced activity.", ge=0, le=1
    )
    signals_per_user: float = quantity(
        0.05, "1/tick", "E", "Utterances, images and motions sampled per user.", ge=0, le=10
    )
    max_signals: int = quantity(8, "signals", "choice", "Most signals that are encoded per zone and tick.", ge=1, le=64)
    bank: str = choice("text", "Name of a shipped bank of intents, or path of an .npz from this file's folder.")

    @model_validator(mode="after")
    def _names_differ(self) -> "IntentSpec":
        names = [activity.name for activity in self.activities]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError(f"activities need at least two different names, got {names}")
        return self
