"""Forecasts of any panel of series: how it is cut, what models read, the baselines, and the figures of merit."""
