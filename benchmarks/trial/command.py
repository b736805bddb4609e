"""``metaverse bridge trial``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.progress import Bar
from benchmarks.trial.arms import TRIAL, TRIAL_LABEL, Zone
from benchmarks.trial.plan import Plan
from benchmarks.trial.results import Results, draw, table
from benchmarks.trial.running import controller, selector, send_load, wait_until_serving, zones_of
from benchmarks.trial.watching import Watch, Watched
from bridges.clock import SystemClock
from bridges.kubernetes.client import ApiClient, ClientOptions
from bridges.kubernetes.settings import ClusterSettings
from metaverse_env.folders import writable

_PLAN = Plan()


def trial(
    controller_options: Annotated[
        list[str] | None,
        typer.Argument(help="After --: options of metaverse bridge run, such as --policy and --prometheus."),
    ] = None,
    namespace: Annotated[str, typer.Option(help="Where the zones are made.")] = "default",
    kubeconfig: Annotated[Path | None, typer.Option(help="Of an account that may make Deployments.")] = None,
    targets_file: Annotated[
        Path | None, typer.Option(help="Keep Prometheus' file_sd_configs of the zones' pods here.")
    ] = None,
    image: Annotated[str, typer.Option(help="Of the zones.")] = _PLAN.zone.image,
    zones: Annotated[int, typer.Option(min=1, max=30, help="In each of three arms.")] = _PLAN.zones,
    usual: Annotated[float, typer.Option(help="Requests per second before and after a step.")] = _PLAN.usual_per_s,
    high: Annotated[float, typer.Option(help="Requests per second in a step.")] = _PLAN.high_per_s,
    step_s: Annotated[float, typer.Option(help="Length of a step of the load, s.")] = _PLAN.step_s,
    tail_s: Annotated[float, typer.Option(help="Between one zone's step and the next, s.")] = _PLAN.tail_s,
    objective_ms: Annotated[float, typer.Option(help="Latency not to exceed, ms.")] = _PLAN.objective_ms,
    seed: Annotated[int, typer.Option(min=0, help="Of the arrivals.")] = _PLAN.seed,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("runs/trial"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Send the same load to zones that stay as they are and to zones that the bridge controls, on a real cluster.

    Makes three arms of zones: one whose CPU limit is small, one whose limit is large, and one that starts small and is
    controlled by metaverse bridge run in mode active. Takes them away in the end. Writes trial.json, trial.png and
    controller.log.

    Example: metaverse bridge trial --namespace trial -- --policy forecast --prometheus http://127.0.0.1:9090
    """
    folder = writable(out)
    plan = Plan(Zone(image), zones, usual, high, step_s=step_s, tail_s=tail_s, objective_ms=objective_ms, seed=seed)
    clock = SystemClock()
    found = ClusterSettings(namespace=namespace, selector=f"{TRIAL_LABEL}={TRIAL}")
    options = ["--namespace", namespace, "--selector", selector(), "--mode", "active", *(controller_options or [])]
    if kubeconfig is not None:
        options += ["--kubeconfig", str(kubeconfig)]
    with (
        ApiClient.from_kubeconfig(kubeconfig, options=ClientOptions(field_manager="metaverse-trial")) as client,
        zones_of(plan, client, namespace),
        Watch(Watched(found, plan.zone, kubeconfig, targets_file)) as watch,
    ):
        wait_until_serving(watch, plan, clock)
        with controller(options, folder / "controller.log") as alive, Bar(round(plan.seconds), "s", "load") as bar:

            def second() -> None:
                alive()
                bar.advance("load")

            results = send_load(plan, watch, clock, second)
    _report(results, watch.failures, folder, as_json)


def _report(results: Results, failures: list[str], folder: Path, as_json: bool) -> None:
    facts: dict[str, Any] = results.facts() | {"failed_looks": len(failures)}
    (folder / "trial.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    draw(results, folder / "trial.png")
    if as_json:
        typer.echo(json.dumps(facts))
        return
    console = Console()
    console.print(table(results))
    for text, value in (
        ("fewer requests above the objective than the small fixed zones", facts["fewer_violated_percent"]),
        ("less CPU time allocated than the large fixed zones", facts["less_cpu_time_percent"]),
    ):
        console.print("nothing to compare with" if value is None else f"{value:.0f} % {text}")
    recovered = ["never" if value is None else f"{value:.0f} s" for value in facts["recovered_s"]]
    console.print(f"p95 back under the objective after a step: {', '.join(recovered)}")
    console.print(f"Written to {folder}: trial.json, trial.png, controller.log")
