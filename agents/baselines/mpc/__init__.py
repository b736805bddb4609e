"""Model-predictive control: the cheapest plan over the forecast, of which only the first step is carried out.

The plan is made by dynamic programming over a few levels per resource (:mod:`.plan`), for the costs of
:mod:`.surrogate`, which need nothing that an operator does not know: prices, the charge for a change, what a violated
user costs, and from which utilisation on the objective is at risk.
"""
