"""Handover of new sessions to neighbours: weights of an HTTPRoute where there is one, else advice."""

from collections.abc import Mapping

from bridges.contracts import Change
from bridges.errors import NotFoundError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.deployments import DeploymentFacts
from bridges.kubernetes.resources import HTTP_ROUTES
from bridges.kubernetes.routing import reweighted, weights
from bridges.kubernetes.settings import ClusterSettings


class Router:
    """Writes weights.

    Args:
        client: Of the cluster, behind its fence.
        settings: Whether to.
    """

    def __init__(self, client: ApiClient, settings: ClusterSettings) -> None:
        self._client, self._settings = client, settings

    def write(
        self, change: Change, zones: Mapping[str, DeploymentFacts], dry_run: bool
    ) -> tuple[bool, tuple[str, ...]]:
        """Give a zone's route the weights that a change asks for.

        Services and routes are named like the Deployments of their zones.

        Returns:
            Whether something was written, and what is only advised.

        Raises:
            ActionError: The shares cannot be.
            ClusterError: The route could not be read or written.
        """
        if change.handover is None:
            return False, ()
        wanted = weights(change.handover, change.zone)
        unknown = sorted(wanted.keys() - zones.keys())
        listed = ", ".join(f"{weight / 10:g} % to {zone!r}" for zone, weight in wanted.items())
        advice = f"send new sessions of zone {change.zone!r}: {listed}"
        if unknown:
            return False, (f"{advice}; there is no zone {', '.join(unknown)} here",)
        version = self._client.features().gateway if self._settings.handover == "route" else ""
        if not version:
            return False, (f"{advice}; no HTTPRoute is served here that could do it",)
        return self._reweigh(change.zone, wanted, zones, version, advice, dry_run)

    def _reweigh(
        self,
        zone: str,
        wanted: Mapping[str, int],
        zones: Mapping[str, DeploymentFacts],
        version: str,
        advice: str,
        dry_run: bool,
    ) -> tuple[bool, tuple[str, ...]]:
        name = zones[zone].workload.name
        target = HTTP_ROUTES._replace(version=version).at(self._settings.namespace, name)
        try:
            route = self._client.get(target)
        except NotFoundError:
            return False, (f"{advice}; there is no HTTPRoute {name!r}",)
        services = {each: zones[each].workload.name for each in wanted}
        body, missing = reweighted(route, wanted, services)
        if missing:
            return False, (f"{advice}; HTTPRoute {name!r} has no backend for {', '.join(missing)}",)
        if body is None:
            return False, ()
        self._client.patch(target, body, kind="merge", dry_run=dry_run)
        return True, ()
