"""The prediction server: what zones report over HTTP becomes a history, and forecasts of it become answers and gauges.

One process, whose memory is the history of all zones. FastAPI describes and routes, pydantic holds the bounds, and one
forecaster answers whatever waits at once. Nothing is imported with the package itself.
"""
