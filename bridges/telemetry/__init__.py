"""What measures zones: Prometheus, the metrics API and the kubelet, and the judgement of what they say.

Missing, stale and zero are three different things: a value that is not there is no value, one that is too old is not
used, and a zero that cannot be true is refused.
"""
