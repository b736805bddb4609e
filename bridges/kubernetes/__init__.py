"""Zones as Deployments of a real Kubernetes cluster: the only place that knows its API and its quantities."""
