"""What a violated user-hour has to cost so that a learner violates no more than is allowed: a Lagrange multiplier.

The cheapest policy within a limit of violations is the best one at some price of violations. That price is found while
learning, by dual ascent on its logarithm: it rises while there is too much, and falls while there is too little. What
counts is the policy as it would be used, without exploring, on worlds that it does not learn from: exploring violates
more, and a price that follows it makes the policy too careful.
"""

import math
from dataclasses import dataclass
from typing import Final

WARM_UP: Final = 12
"""Looks before the price moves: what comes first is the untrained policy's doing, whatever the price [choice]."""
RATE: Final = 0.12
"""Change of the log-price per look where there is twice as much as allowed, or half [choice]."""
MEMORY: Final = 0.5
"""How much of the average of past looks stays in each new one: a policy that learns is restless [choice]."""
MOST: Final = 1.0
"""Bound of the excess that counts, in doublings [choice]."""

HIGHEST_EUR_PER_USER_H: Final = 0.25
"""What no price exceeds: where outages alone violate more than allowed no price would do, and one without bound would
leave nothing of the cost in the reward [choice]."""
TINY_PERCENT: Final = 1e-6
"""No violations at all count as this many."""


@dataclass
class Price:
    """The price and what it follows.

    Attributes:
        eur_per_user_h: The price now.
        allowed_percent: Share of user-seconds that may be violated.
        average_percent: What was, averaged over the latest looks; ``None`` before the first.
        looks: How many there were.
    """

    eur_per_user_h: float
    allowed_percent: float
    average_percent: float | None = None
    looks: int = 0

    def follow(self, violated_percent: float) -> None:
        """Take in a look.

        >>> price = Price(0.1, allowed_percent=0.5, average_percent=1.0, looks=WARM_UP)
        >>> price.follow(1.0)
        >>> round(price.eur_per_user_h, 5)
        0.11275
        """
        self.looks += 1
        if self.looks <= WARM_UP or self.average_percent is None:
            self.average_percent = violated_percent
            return
        self.average_percent = MEMORY * self.average_percent + (1.0 - MEMORY) * violated_percent
        excess = math.log2(max(self.average_percent, TINY_PERCENT) / self.allowed_percent)
        moved = self.eur_per_user_h * math.exp(RATE * max(-MOST, min(MOST, excess)))
        self.eur_per_user_h = min(moved, max(HIGHEST_EUR_PER_USER_H, self.eur_per_user_h))
