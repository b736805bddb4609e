"""A two-level controller after Autothrottle: fast captains keep throttling at a target, a slow tower sets the targets.

What is simplified against the paper (arXiv 2212.12180) and its code:

* A captain decides once a tick, not every second, and sees no throttle counters, which telemetry does not have: the
  share of throttled periods is estimated from utilisation.
* A captain steers CPU and egress alike. Memory cannot be throttled and follows its peak with a margin.
* The tower is a bandit on a table of costs with forgetting, one per group of zones, not a contextual one on Vowpal
  Wabbit; it explores neighbouring targets on a fixed schedule, not at random, so that episodes can be repeated.
* The objective is on p95, as everywhere in this project; the paper's is on p99.
"""
