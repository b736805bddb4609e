"""Reports in, predictions out: the one owner of the history and of the forecaster.

Reports that wait together are taken together and answered from one forecast of all zones. They are cut where a zone
speaks twice and says another thing, so that everyone is answered on what they said.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.contracts import Predictor
from metaverse_env.history import History
from metaverse_env.units import QUANTILES, TARGETS
from predictors.server.board import Board
from predictors.server.graphs import joined
from predictors.server.live import FullError, LiveZones
from predictors.server.metrics import Meters
from predictors.server.observing import past
from predictors.server.problems import ProblemError
from predictors.server.requests import ForecastRequest, Report
from predictors.server.settings import Settings

Array = np.ndarray
LOG: Final = logging.getLogger(__name__)

DECIMALS: Final = 6
"""Of every number that is answered: µcores, bytes, bits per second, ns."""


class Forget(NamedTuple):
    """A request to forget a zone; answered with whether there was one."""

    zone_name: str


Work = Report | ForecastRequest | Forget
Result = Any
"""Of a report its :class:`~predictors.server.board.Shown`, of a forecast the answer's object; or a problem."""


class Engine:
    """Answers work. Not for two threads at once.

    Args:
        predictor: The forecaster.
        settings: Of the server.
        board: Where predictions are shown.
        meters: Where work is counted.
    """

    def __init__(self, predictor: Predictor, settings: Settings, board: Board, meters: Meters) -> None:
        self._predictor, self._settings, self._board, self._meters = predictor, settings, board, meters
        self._zones = LiveZones(settings.graph, settings.tick_s, settings.max_zones)

    def work(self, items: Sequence[Work]) -> list[Result]:
        """Return one result for each item: an answer, or the problem that it has."""
        results: list[Result] = []
        for run in runs(items):
            try:
                results += self._answers(run)
            except Exception:  # whatever a forecaster raises must not end what all requests wait for
                LOG.exception("the forecaster failed")
                self._meters.failures.labels("raised").inc(len(run))
                results += [ProblemError(500, "The forecaster failed; the server's log says why.")] * len(run)
        return results

    def _answers(self, run: Sequence[Work]) -> list[Result]:
        match run[0]:
            case Report():
                return self._predict([report for report in run if isinstance(report, Report)])
            case ForecastRequest() as request:
                return [self._forecast(request)]
            case Forget(zone_name=name):
                return [self._forget(name)]

    def _predict(self, reports: Sequence[Report]) -> list[Result]:
        for name in self._zones.advance():
            self._board.take_down(name)
        rows = [self._row(report) for report in reports]
        values = self._values(self._zones.history)
        finite = np.isfinite(values).all(axis=1)
        return [
            row if isinstance(row, ProblemError) else self._shown(report, values[row].tolist() if finite[row] else None)
            for report, row in zip(reports, rows, strict=True)
        ]

    def _row(self, report: Report) -> int | ProblemError:
        try:
            return self._zones.report(report.zone_name, report)
        except FullError:
            most = self._settings.max_zones
            return ProblemError(
                409, f"The server knows {most} zones, its limit; let it forget one, or raise the limit."
            )

    def _values(self, history: History) -> Array:
        """Return the asked-for tick and quantile of all zones: ``float64 [Z, 4]``."""
        with self._meters.forecast_s.time():
            forecast = self._predictor.forecast(history, (self._settings.ticks_ahead,))
        return _rounded(forecast.values[0, :, 0, :, QUANTILES.index(self._settings.quantile)])

    def _shown(self, report: Report, values: Sequence[float] | None) -> Result:
        shown = self._board.show(report.zone_name, values)
        return shown if values is not None else self._not_finite()

    def _forecast(self, request: ForecastRequest) -> Result:
        known = self._settings.graph
        graph = joined(known, [name for name in request.zones if name not in known.names])
        if len(graph) > self._settings.max_zones:
            return ProblemError(
                422, f"The server forecasts {self._settings.max_zones} zones at most, neighbours included."
            )
        ticks = tuple(sorted(request.ticks_ahead))
        history = past(graph, dict(request.zones), request.time_s, self._settings.tick_s)
        with self._meters.forecast_s.time():
            forecast = self._predictor.forecast(history, ticks)
        values = _rounded(forecast.values[0, [graph.names.index(name) for name in request.zones]])
        if not np.isfinite(values).all():
            return self._not_finite()
        zones = {
            name: {target: values[zone, :, index].tolist() for index, target in enumerate(TARGETS)}
            for zone, name in enumerate(request.zones)
        }
        basis = {"tick_s": self._settings.tick_s, "ticks_ahead": list(ticks), "quantiles": list(QUANTILES)}
        return {**basis, "zones": zones}

    def _forget(self, name: str) -> bool:
        self._board.take_down(name)
        return bool(self._zones.forget([name]))

    def _not_finite(self) -> ProblemError:
        self._meters.failures.labels("not_finite").inc()
        return ProblemError(500, "The forecaster gave a number that is not finite; there is no prediction.")


def runs(items: Sequence[Work]) -> Iterator[list[Work]]:
    """Cut work into what can be done at once: reports of which no two contradict each other, or one other thing.

    >>> [len(run) for run in runs([Forget("a"), Forget("b")])]
    [1, 1]
    """
    run: list[Work] = []
    said: dict[str, Report] = {}
    for item in items:
        goes_with = isinstance(item, Report) and bool(said) and said.get(item.zone_name, item) == item
        if run and not goes_with:
            yield run
            run, said = [], {}
        run.append(item)
        if isinstance(item, Report):
            said[item.zone_name] = item
    if run:
        yield run


def warm_up(predictor: Predictor, settings: Settings) -> None:
    """Forecast once, so that what is compiled on first use is compiled before the first request."""
    report = Report(zone_name="-", active_users=0.0)
    graph = joined(settings.graph, [report.zone_name])
    predictor.forecast(past(graph, {report.zone_name: [report]}, 0.0, settings.tick_s), (settings.ticks_ahead,))


def _rounded(values: Array) -> Array:
    return np.round(values.astype(np.float64), DECIMALS)
