"""What people see while it runs: a table that stays in its place on a terminal, a line a cycle elsewhere."""

from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from bridges.controller.deciding import Decision
from bridges.shield.clamps import CPU, MEMORY, REPLICAS

_MOST_ROWS = 40


class Shown:
    """Shows decisions; use it as a context.

    Args:
        console: Where. What is no terminal gets a line a cycle.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, decision: Decision) -> None:
        """Show a cycle."""
        if self._live is not None:
            self._live.update(table_of(decision), refresh=True)
        else:
            self._console.print(line_about(decision), markup=False, highlight=False, soft_wrap=True)


def line_about(decision: Decision) -> str:
    """Say a cycle in one line."""
    results = [receipt.result for receipt in decision.receipts]
    counts = ", ".join(f"{results.count(one)} {one}" for one in sorted(set(results))) or "nothing written"
    asked, clamps = len(decision.judged.changes), len(decision.judged.verdict.clamps)
    reasons = "; ".join(reason for reason in decision.reasons if reason)
    return (
        f"cycle {decision.inputs.moment.cycle}: {decision.state.mode} ({reasons}); {decision.permission.decider} "
        f"decides; {asked} zones to change, {clamps} clamps; {counts}"
    )


def table_of(decision: Decision) -> Table:
    """Return the zones of a cycle as a table."""
    title = f"{decision.state.mode.upper()} · cycle {decision.inputs.moment.cycle} · {'; '.join(decision.reasons)}"
    table = Table(title=title, caption=line_about(decision))
    for name in ("zone", "users", "CPU used", "p95 ms", "pods", "cores", "MB", "asked", "what became of it"):
        table.add_column(name, justify="left" if name in ("zone", "asked", "what became of it") else "right")
    receipts = {receipt.change.zone: receipt for receipt in decision.receipts}
    asked = {change.zone: change.reason for change in decision.judged.changes}
    facts = decision.judged.facts
    for row, zone in list(enumerate(facts.zones))[:_MOST_ROWS]:
        fields = decision.inputs.readings.get(zone, {})
        read = [fields[name].value if name in fields else None for name in ("users", "cpu_cores", "latency_ms")]
        had = [facts.now[row, REPLICAS], facts.now[row, CPU], facts.now[row, MEMORY]]
        receipt = receipts.get(zone)
        became = f"{receipt.result} {receipt.code}" if receipt else decision.held.get(zone, decision.ill.get(zone, ""))
        table.add_row(zone, *map(_number, (*read, *had)), asked.get(zone, ""), became)
    return table


def _number(value: float | None) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:.4g}"
