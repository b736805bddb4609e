"""Telemetry of a cluster as files: a panel that forecasters train on, a trace of users that a simulation replays."""
