"""The same environment on a real cluster: telemetry in, commands out, units converted at this edge and nowhere else.

Bridges never import agents: whoever decides is handed to them. Nothing is imported with the package itself.
"""
