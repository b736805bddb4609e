"""Records a cluster tick by tick, into a file that is whole at every moment."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from bridges.contracts import Clock, Cluster, TelemetrySource
from bridges.layout import Neighbours, graph_of
from bridges.recording.rows import FEATURES, Row, row_of, users_of
from metaverse_env.errors import ClusterError, ConfigurationError
from metaverse_env.panels import Panel, load_panel, save_panel

SAVE_S: Final = 60.0
"""So often a long recording is saved, s; at its end, however it ends, it is saved anyway."""


class Recorder:
    """Looks at a cluster once a tick and keeps what it sees; it writes nothing to the cluster.

    Args:
        cluster: What to record.
        telemetry: What measures it.
        out: The panel, ``.npz``.
        clock: The time.
        tick_s: Between two looks, s.
        append: Go on with the panel where it ends; else a file that is there is left alone.
        neighbours: Zone to its neighbours; by default the Deployments' annotation says so.

    Raises:
        ConfigurationError: The file is there, or has other zones or features.
        ClusterError: The cluster cannot be read at the start.
    """

    def __init__(
        self,
        cluster: Cluster,
        telemetry: TelemetrySource,
        out: Path,
        clock: Clock,
        tick_s: float,
        append: bool = False,
        neighbours: Neighbours | None = None,
    ) -> None:
        self._cluster, self._telemetry, self._out, self._clock, self._tick_s = cluster, telemetry, out, clock, tick_s
        self.graph = graph_of(cluster.read(), neighbours)
        self._rows: list[Row] = []
        self._times: list[float] = []
        self.lost_ticks = 0
        if out.exists():
            self._continue(append)

    def _continue(self, append: bool) -> None:
        if not append:
            raise ConfigurationError(f"{self._out} is there already; go on with it by --append, or name another file")
        panel = load_panel(self._out)
        if panel.names != self.graph.names or panel.feature_names != FEATURES or panel.timestamps is None:
            raise ConfigurationError(
                f"{self._out} records the zones {', '.join(panel.names[:8])}, the cluster has "
                f"{', '.join(self.graph.names[:8])}; one panel has the same zones and features. Name another file"
            )
        self._rows, self._times = [row.astype(np.float32) for row in panel.values], list(panel.timestamps)

    def run(self, ticks: int | None, progress: Callable[[int, float], None] = lambda _ticks, _known: None) -> Panel:
        """Record so many ticks, or until it is interrupted; nothing that was seen is lost.

        Args:
            ticks: How many; endless when ``None``.
            progress: Told the ticks so far and the share of values that were known in the last one.
        """
        start_s = saved_s = self._clock.monotonic_s()
        done = 0
        try:
            while (ticks is None or done < ticks) and not getattr(self._clock, "stopped", False):
                progress(done + 1, self._look())
                done += 1
                if self._clock.monotonic_s() - saved_s > SAVE_S:
                    self.save()
                    saved_s = self._clock.monotonic_s()
                due = int((self._clock.monotonic_s() - start_s) // self._tick_s) + 1
                if ticks is None or done < ticks:
                    self._clock.wait_until(start_s + due * self._tick_s)
        except KeyboardInterrupt:
            progress(done, float("nan"))
        finally:
            self.save()
        return self.panel()

    def _look(self) -> float:
        """Keep one row; a cluster that cannot be read gives one in which nothing is known."""
        now_s = self._clock.unix_s()
        try:
            snapshot = self._cluster.read()
            row = row_of(snapshot, self._telemetry.read(snapshot.workloads), self.graph)
        except ClusterError:
            self.lost_ticks += 1
            row = np.full((len(self.graph), len(FEATURES)), np.nan, dtype=np.float32)
        if not self._times or now_s > self._times[-1]:
            self._rows.append(row)
            self._times.append(now_s)
        return float(np.mean(~np.isnan(row)))

    def panel(self) -> Panel:
        """Return what was recorded so far.

        Raises:
            ConfigurationError: Nothing was.
        """
        if not self._rows:
            raise ConfigurationError("nothing was recorded; let it run for a tick")
        edges = self.graph.edge_index
        return Panel(
            values=np.stack(self._rows),
            feature_names=FEATURES,
            names=self.graph.names,
            timestamps=np.array(self._times, dtype=np.float64),
            edge_index=edges if edges.shape[1] else None,
            edge_weight=self.graph.edge_weight if edges.shape[1] else None,
            source=str(self._out),
        )

    def save(self) -> None:
        """Write the panel, in one go, and its users as a trace beside it."""
        if self._rows:
            save_panel(self._out, self.panel())
            trace = self._out.with_suffix(".csv")
            partial = trace.with_suffix(".csv.part")
            partial.write_text(self.trace(), encoding="utf-8")
            partial.replace(trace)

    def trace(self) -> str:
        """Return the users as CSV, as ``--trace`` takes it; a value that is not known is blank."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["time", *self.graph.names])
        for time_s, row in zip(self._times, self._rows, strict=True):
            moment = datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")
            users = ("" if np.isnan(value) else f"{value:.6g}" for value in users_of(row))
            writer.writerow([moment.replace("+00:00", "Z"), *users])
        return text.getvalue()
