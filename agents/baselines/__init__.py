"""Classical controllers: what operators run today, as the yardstick of whatever is learned.

All are batch-first and answer a :class:`~metaverse_env.contracts.View` with a command, exactly as on a cluster; none of
them looks at an action space.

* No control: ``hold``, ``random``, ``static``.
* Reactive: ``threshold``, ``hpa``, ``vpa``, ``keda``, ``pid``, ``autothrottle``.
* With a forecast: ``forecast``, ``mpc``.
* Bounds, which know the future: ``oracle``, ``oracle_users``.

Their parameters are data with ranges (:mod:`.parameters`), so that ``metaverse benchmark tune`` gives all the same
chance; what it found is shipped (:mod:`agents.tuned`) and asked for as ``hpa@multi_zone``.
"""
