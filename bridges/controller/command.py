"""``metaverse bridge run``."""

import json
import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import typer
from pydantic import ValidationError

from bridges.clock import SystemClock
from bridges.controller import checkpoint, options
from bridges.controller.asking import Asker
from bridges.controller.cycle import Controller
from bridges.controller.gate import Switch
from bridges.controller.health import Health, HealthServer
from bridges.controller.reporting import Reporter
from bridges.controller.running import Stop, obeying, run, when_readable
from bridges.controller.settings import ControllerSettings
from bridges.controller.sight import Sight
from bridges.controller.sites import Asked, Site, in_memory, real
from bridges.controller.table import Shown
from bridges.controller.watching import Moments, Watched
from bridges.decisions import DecisionLog, Setup, Who
from bridges.kubernetes.lease import LEASE
from bridges.prometheus import Exporter
from bridges.shield.settings import load_settings
from bridges.shield.training_range import TrainingRange, load_range
from metaverse_env.contracts import Policy
from metaverse_env.errors import ConfigurationError
from metaverse_env.plugins import resolve_own

LOG: Final = logging.getLogger(__name__)
LOADER: Final = "agents:load"
"""Makes a policy of its name; the bridge imports no agents."""


class Told(NamedTuple):
    """Where decisions are told: health and metrics, the log, the checkpoint, and whether people or programs read."""

    host: str
    port: int
    decisions: Path | None
    keep_inputs: bool
    checkpoint_file: Path | None
    as_json: bool


def bridge_run(
    policy: options.PolicyName = "threshold",
    namespace: options.Namespace = None,
    mode: options.ModeAim = options.Aim.SHADOW,
    canary: options.Canary = "",
    selector: options.Selector = None,
    tick_s: options.TickS = 15.0,
    kubeconfig: options.Kubeconfig = None,
    prometheus: options.Prometheus = None,
    queries: options.Queries = "zone",
    scrape_s: options.ScrapeS = 15.0,
    fallback: options.Fallback = "threshold",
    forecaster: options.Forecaster = "stgnn",
    scenario: options.Scenario = None,
    scaling: options.Scaling = None,
    shield: options.ShieldFile = None,
    settings: options.Settings = None,
    lease: options.Lease = LEASE,
    rollouts: options.Rollouts = False,
    rollout_cool_down_s: options.RolloutCoolDownS = 60.0,
    take_from: options.TakeFrom = "",
    pause_file: options.PauseFile = None,
    checkpoint_file: options.CheckpointFile = None,
    decisions: options.Decisions = None,
    keep_inputs: options.KeepInputs = False,
    host: options.Host = "127.0.0.1",
    port: options.Port = 8080,
    cycles: options.Cycles = None,
    dry_run_cluster: options.DryRunCluster = False,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Let a policy run a cluster's zones, carefully; by default it only watches and says what it would do.

    SIGTERM and Ctrl-C end it in good order: the lease is given back. SIGUSR1 pauses it, SIGUSR2 resumes. With
    --dry-run-cluster and --cycles time passes at once. A cluster that cannot be read is waited for, unless --cycles
    says how long to go on.
    """
    chosen, policies = _settings(settings, shield, mode, canary), (policy_of(policy), policy_of(fallback))
    who, clock, ticks = Who(policy, _digest(policies[0]), fallback), SystemClock(), SystemClock()
    stop, switch = Stop(clock, ticks), Switch(pause_file)
    setup = Setup(json.loads(chosen.model_dump_json()), scenario, tick_s, forecaster, scaling)
    asked = Asked(namespace or "", selector, kubeconfig, prometheus, queries, scrape_s, lease=lease)
    asked = asked._replace(acts=mode is not options.Aim.SHADOW, rollouts=rollouts, take_from=_names(take_from))
    asked = asked._replace(rollout_cool_down_s=rollout_cool_down_s)
    told = Told(host, port, decisions, keep_inputs, checkpoint_file, as_json)
    with ExitStack() as closing:
        if dry_run_cluster:
            site = in_memory(scenario or "multi_zone", seed, switch, stop, clock if cycles is None else None)
        else:
            site = real(_needed(asked), clock, switch, stop, closing, ticks)
        public = _public(site, who, setup, told, closing)
        with obeying(stop, switch):
            make = partial(_controller, site, policies, chosen, setup, stop)
            controller = make() if cycles is not None else when_readable(make, site, public[0], stop, tick_s)
            run(controller, site.clock, _reporter(controller, who, setup, site, told, public, closing).report, cycles)


def _public(site: Site, who: Who, setup: Setup, told: Told, closing: ExitStack) -> tuple[Health, Exporter]:
    """Serve health and metrics, and say where."""
    health = Health(site.clock, limit_s=max(60.0, 4.0 * setup.tick_s))
    exporter = Exporter(site.clock, who.policy, keep_s=4.0 * setup.tick_s)
    url = closing.enter_context(HealthServer(health, exporter, told.host, told.port)).url
    typer.echo(json.dumps({"url": url}) if told.as_json else f"Health and metrics on {url}", err=not told.as_json)
    return health, exporter


def _reporter(
    controller: Controller,
    who: Who,
    setup: Setup,
    site: Site,
    told: Told,
    public: tuple[Health, Exporter],
    closing: ExitStack,
) -> Reporter:
    """Go on from the checkpoint, open what decisions are told to, and say where."""
    if told.checkpoint_file is not None and checkpoint.load(controller, told.checkpoint_file):
        LOG.info("went on from %s", told.checkpoint_file)
    health, exporter = public
    log = closing.enter_context(DecisionLog(told.decisions)) if told.decisions is not None else None
    shown = None if told.as_json else closing.enter_context(Shown())
    return Reporter(controller, who, health, exporter, log, told.keep_inputs, shown, told.checkpoint_file, setup, site)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _needed(asked: Asked) -> Asked:
    if not asked.namespace:
        raise ConfigurationError("which namespace? give --namespace NAME, or try it with --dry-run-cluster")
    return asked


def _settings(file: Path | None, shield: Path | None, mode: options.Aim, canary: str) -> ControllerSettings:
    """Return the settings of a file, with what the command line says on top."""
    try:
        told = json.loads(file.read_text(encoding="utf-8")) if file is not None else {}
        said = {"aim": mode.value, "canary": _names(canary), "shield": load_settings(shield)}
        return ControllerSettings.model_validate({**told, **said})
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(words) from error
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{file}: is no JSON table of settings: {error}") from error


def policy_of(name: str) -> Policy:
    """Return a policy that may run a cluster.

    Raises:
        ConfigurationError: It is told a simulated world's future.
        MetaverseError: What the loader of policies raises.
    """
    policy: Policy = resolve_own("policies", LOADER)(name)
    if getattr(policy, "clairvoyant", False):
        raise ConfigurationError(f"policy {name!r} is told a simulated world's future; a cluster has none")
    return policy


def _digest(policy: Policy) -> str:
    """Return the SHA-256 of a learned policy's weights, or ``""``."""
    return str(getattr(getattr(policy, "card", None), "digest", ""))


def training_of(policy: Policy) -> TrainingRange | None:
    """Return what a learned policy's observations were like; ``None`` for one that was not trained."""
    card = getattr(policy, "card", None)
    return None if card is None else load_range(card.scenario)


def _controller(
    site: Site,
    policies: tuple[Policy, Policy],
    settings: ControllerSettings,
    setup: Setup,
    stop: Stop,
) -> Controller:
    watched = Watched(site.cluster, site.telemetry, site.clock, budget_s=0.2 * setup.tick_s, stopping=stop)
    moments = Moments(site.clock)
    sight = Sight(watched, moments, setup.scenario, setup.tick_s, setup.forecaster, setup.scaling)
    unknown = sorted(set(settings.canary) - set(sight.zones))
    if unknown:
        raise ConfigurationError(
            f"canary zone {unknown[0]!r} is not in this cluster; its zones: {', '.join(sight.zones)}"
        )
    policy, heuristic = (Asker(one, settings.policy_timeout_s) for one in policies)
    return Controller(watched, sight, moments, policy, heuristic, site.gate, settings, training_of(policies[0]))
