"""What each random draw of a tick is for. Numbers must differ within one place and one key; their values mean nothing.

Under the *user* key: who comes, goes, moves and what they do. Under the *noise* key: what machines and metrics do.
"""

from typing import Final

USER_STREAM: Final = 1
NOISE_STREAM: Final = 2

WORLD_PLACE: Final = 1 << 40
"""The place number of the world itself and, counted on from it, of its nodes: apart from every zone's."""

# world, user key
OFFSET, SHARED_OU, PRICE, TRACE_START = 1, 2, 3, 4
# zone, user key
OWN_OU, WHERE = 1, 8
ARRIVE, LEAVE, MOVE = 2, 4, 6  # on short sessions, and one more on long ones
EVENT, EVENT_PEAK, EVENT_ONSET, EVENT_HOLD, EVENT_DECAY = 10, 11, 12, 13, 14
NEXT_ACTIVITY, ACTIVITY_TIME, LEAD, FALSE_NEWS, FALSE_ACTIVITY, SIGNALS, SIGNAL = 20, 21, 22, 23, 24, 25, 100
START_ACTIVITY, START_TIME, START_SHORT, START_LONG = 16, 17, 18, 19
# zone, noise key
NOISE, DRIFT, RESIZE, RESTART, AGE, MISSING, MISSING_TIME, OUTAGE, OUTAGE_TIME, KILLED, UTILISATION, RESIDUAL = (
    1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20,
)  # fmt: skip
# node, noise key
STEAL, STEAL_SHARE, STEAL_TIME, LOSS, LOSS_TIME, DEGRADE, DEGRADE_RTT, DEGRADE_TIME = 30, 31, 32, 33, 34, 35, 36, 37
