"""What is installed on a cluster, as text: zones, server, controller, Prometheus, Grafana, and what each may do.

Everything is made of one :class:`~bridges.manifests.settings.Settings`; the same settings give the same bytes.
"""
