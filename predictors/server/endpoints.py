"""The endpoints. Bodies are read by :mod:`predictors.server.bodies`; answers are finite numbers or problems."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel
from pydantic_core import to_json

from predictors.server import answers, bodies
from predictors.server.engine import Forget, Work
from predictors.server.graphs import neighbour_names
from predictors.server.openapi import Responses, problems, takes
from predictors.server.problems import ProblemError, unavailable
from predictors.server.requests import BatchRequest, ForecastRequest, Report, ZoneName
from predictors.server.service import Service

Model = TypeVar("Model", bound=BaseModel)


class Endpoints:
    """What can be asked of a service.

    Args:
        service: That does the work.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    async def predict(self, request: Request) -> Response:
        """Take what a zone says as its current tick, and predict what it will need.

        Other zones count as they last reported, older by every tick since.
        """
        report = await self._read(request, Report)
        (shown,) = await self._results(request, [report])
        return _json(_raised(shown).named())

    async def predict_batch(self, request: Request) -> Response:
        """Take reports of several zones, in their order; each has its own prediction or problem."""
        batch = await self._read(request, BatchRequest)
        results = await self._results(request, batch.reports)
        return _json({"predictions": [_entry(*pair) for pair in zip(batch.reports, results, strict=True)]})

    async def forecast(self, request: Request) -> Response:
        """Forecast zones from a past that the request holds. Nothing is remembered.

        Zones that the server's scenario names have their neighbours; those that the request leaves out are masked.
        """
        (found,) = await self._results(request, [await self._read(request, ForecastRequest)])
        return _json(_raised(found))

    async def zones(self, request: Request) -> Response:
        """List the zones of the scenario and those that reported lately."""
        self.service.guard.admit(request, "read")
        _refuse_unknown(request)
        graph, shown = self.service.settings.graph, self.service.board.current()
        names = [*graph.names, *(name for name in shown if name not in graph.names)]
        listed = [
            {
                "zone_name": name,
                "neighbours": neighbour_names(graph, zone) if zone < len(graph) else [],
                "last_report_s": shown[name].reported_s if name in shown else None,
            }
            for zone, name in enumerate(names)
        ]
        return _json({"zones": listed, "max_zones": self.service.settings.max_zones})

    async def may_forget(self, request: Request) -> None:
        """Let a request to forget pass; before its query is looked at."""
        self.service.guard.admit(request, "forget")
        self.service.require_ready()
        _refuse_unknown(request, "zone_name")

    async def forget(self, request: Request, zone_name: Annotated[ZoneName, Query()]) -> Response:
        """Forget what a zone said, and show its gauges no longer."""
        (known,) = await self._results(request, [Forget(zone_name)])
        if not _raised(known):
            raise ProblemError(404, "No zone of this name has reported lately; /zones lists those that have.")
        return Response(status_code=204)

    async def metrics(self, request: Request) -> Response:
        """Give what Prometheus scrapes."""
        self.service.guard.admit(request, "read")
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self.service.meters.registry), headers={"Content-Type": media_type})

    async def healthz(self, _: Request) -> Response:
        """Tell whether the process is alive; it is from its first moment to its last."""
        return _json({"status": "alive"})

    async def readyz(self, _: Request) -> Response:
        """Tell whether requests should be sent here: not before the model is loaded, nor once the server drains."""
        self.service.require_ready()
        if self.service.state != "ready":
            raise unavailable("The server drains; send no more requests here.")
        return _json({"status": self.service.state})

    async def _read(self, request: Request, model: type[Model]) -> Model:
        self.service.guard.admit(request, "predict")
        self.service.require_ready()
        _refuse_unknown(request)
        return await bodies.read(request, model, self.service.settings.max_body_bytes)

    async def _results(self, request: Request, items: Sequence[Work]) -> list[Any]:
        return await self.service.batcher.results(items, request.is_disconnected)


class Direct(APIRoute):
    """A route whose endpoint takes the request and gives the response.

    FastAPI documents it, but has nothing to resolve for it: a sixth of the time of ``/predict``.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint as it is."""
        return self.endpoint


def add_routes(app: FastAPI, service: Service) -> None:
    """Give an application all routes of a service; through a router each request would take a tenth longer."""
    ends = Endpoints(service)
    add = partial(app.router.add_api_route, route_class_override=Direct)
    add("/predict", ends.predict, methods=["POST"], response_model=answers.Prediction, **takes(Report, 409))
    add("/predict/batch", ends.predict_batch, methods=["POST"], response_model=answers.Batch, **takes(BatchRequest))
    add("/forecast", ends.forecast, methods=["POST"], response_model=answers.Forecasts, **takes(ForecastRequest))
    add("/zones", ends.zones, response_model=answers.ZoneList, responses=problems(422), tags=["zones"])
    add("/metrics", ends.metrics, response_class=PlainTextResponse, responses=_METRICS, tags=["operation"])
    add("/healthz", ends.healthz, response_model=answers.Health, tags=["operation"])
    add("/readyz", ends.readyz, response_model=answers.Health, responses=problems(503), tags=["operation"])
    app.delete(
        "/zones",
        dependencies=[Depends(ends.may_forget)],
        status_code=204,
        responses=problems(404, 422, 429, 503),
        tags=["zones"],
    )(ends.forget)


_METRICS: Final[Responses] = {200: {"content": {"application/openmetrics-text": {"schema": {"type": "string"}}}}}


def _refuse_unknown(request: Request, *known: str) -> None:
    """Refuse a query that would be left unread: who writes ``?ticks_ahead=4`` means it.

    Raises:
        ProblemError: 422 the query has a parameter that the path does not know.
    """
    if request.scope["query_string"] and not set(request.query_params).issubset(known):
        taken = f"no query parameter but {', '.join(known)}" if known else "no query parameters"
        raise ProblemError(422, f"This path takes {taken}; /openapi.json describes where the rest belongs.")


def _entry(report: Report, result: Any) -> dict[str, Any]:
    """Return the entry of one report in the answer of a batch."""
    if isinstance(result, ProblemError):
        return {"problem": result.document("/predict/batch")}
    return {"zone_name": report.zone_name, **result.named()}


def _raised(result: Any) -> Any:
    """Return a result, or raise it if it is a problem."""
    if isinstance(result, ProblemError):
        raise result
    return result


def _json(value: Any) -> Response:
    """Return an answer in JSON. Predictions in it are finite: the engine gives no others."""
    return Response(to_json(value, inf_nan_mode="constants"), media_type="application/json")
