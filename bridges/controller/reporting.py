"""What is done with a decision: a line for the log, metrics, health, a checkpoint, and something for people."""

import logging
from pathlib import Path
from typing import Final

import typer

from bridges.controller import checkpoint
from bridges.controller.cycle import Controller
from bridges.controller.deciding import Decision
from bridges.controller.health import Health
from bridges.controller.showing import Showing
from bridges.controller.sites import Site
from bridges.controller.table import Shown
from bridges.decisions import DecisionLog, Setup, Who, line_of, record_of
from bridges.prometheus import Exporter

LOG: Final = logging.getLogger(__name__)
_ASKED_EVERY: Final = 240
"""Cycles after which it is asked again what the account may do."""


class Reporter:
    """Tells everyone who wants to know.

    Args:
        controller: Whose decisions they are.
        who: Who decides.
        health: Told that a cycle ended.
        exporter: Of metrics.
        log: Takes records, or ``None``.
        given: Whether they hold all that was read.
        shown: For people; without it each record is printed as JSON.
        file: Of the checkpoint, or ``None``.
        setup: How the controller was started, for the first record.
        site: Where it works.
    """

    def __init__(
        self,
        controller: Controller,
        who: Who,
        health: Health,
        exporter: Exporter,
        log: DecisionLog | None,
        given: bool,
        shown: Shown | None,
        file: Path | None,
        setup: Setup,
        site: Site,
    ) -> None:
        self._site, self._setup = site, setup
        self._controller, self._who, self._health = controller, who, health
        self._showing = Showing(exporter, controller.sight.scenario.service.latency_objective_ms, site.drift)
        self._log, self._given, self._shown, self._file = log, given, shown, file
        self._mode, self._first = "", True

    def report(self, decision: Decision, seconds: float) -> None:
        """Report a cycle that took so many seconds."""
        if decision.inputs.moment.cycle % _ASKED_EVERY == 1 or (self._health.missing and not decision.inputs.error):
            self._health.missing = () if decision.state.mode == "off" else self._site.missing()
        self._site.tell(decision)
        self._health.beat()
        self._health.trouble = f"the cluster cannot be read: {decision.inputs.error}" if decision.inputs.error else ""
        self._health.draining = decision.state.mode == "off"
        self._showing.show(decision, seconds)
        self._showing.exporter.set("metaverse_bridge_ready", float(self._health.ready()[0]))
        record = record_of(decision, self._who, self._given)
        if self._log is not None:
            self._log.append({**record, "setup": self._setup} if self._first and self._given else record)
            self._first = False
        self._say(decision, line_of({name: part for name, part in record.items() if name != "given"}))
        if self._file is not None:
            self._keep(self._file)

    def _say(self, decision: Decision, line: str) -> None:
        if decision.state.mode != self._mode:
            LOG.warning("mode %s: %s", decision.state.mode, "; ".join(decision.reasons))
            self._mode = decision.state.mode
        for zone in decision.judged.verdict.stopped:
            LOG.error("zone %s is killed for memory again and again with the most that it may have", zone)
        if self._shown is None:
            typer.echo(line)
        else:
            self._shown.show(decision)

    def _keep(self, file: Path) -> None:
        try:
            checkpoint.save(self._controller, file)
        except OSError as error:  # a disk that is full must not stop the control of a cluster
            LOG.error("checkpoint %s was not written: %s", file, error)
