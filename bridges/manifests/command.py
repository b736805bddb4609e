"""``metaverse bridge manifests``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bridges.manifests.settings import MOST_ZONES, Settings, parse_images
from bridges.manifests.writing import make, write

_DEFAULT = Settings()


def manifests(
    out: Annotated[Path, typer.Option(help="Folder of the files.")] = Path("metaverse-kubernetes"),
    namespace: Annotated[str, typer.Option(help="Namespace of everything.")] = _DEFAULT.namespace,
    zones: Annotated[int, typer.Option(min=1, max=MOST_ZONES, help="How many zones.")] = _DEFAULT.zones,
    image: Annotated[
        list[str] | None,
        typer.Option(
            help="PART=IMAGE with a version or digest; PART is server, controller, zone, prometheus or grafana."
            " May be repeated.",
            show_default="those that the Dockerfiles build, and the public ones",
        ),
    ] = None,
    policy: Annotated[str, typer.Option(help="Policy of the controller.")] = _DEFAULT.policy,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths of the files as JSON.")] = False,
) -> None:
    """Write what a cluster needs: zones, server, controller in shadow mode, Prometheus and Grafana, with kustomize.

    The folder's README.md says how to install it. Nothing is sent to a cluster.
    """
    images: dict[str, Any] = dict(parse_images(image or []))
    settings = Settings(namespace=namespace, zones=zones, policy=policy, **images)
    files = make(settings)
    write(files, out, force)
    if as_json:
        typer.echo(json.dumps({"out": str(out), "namespace": namespace, "zones": zones, "files": sorted(files)}))
        return
    typer.echo(f"Wrote {len(files)} files to {out}. {out / 'README.md'} says how to go on.")
