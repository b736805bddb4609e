"""From a trained forecaster of a panel to its three files: ONNX, safetensors and card."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.export import Dim

from predictors.forecasting.windows import CALENDAR, Windows
from predictors.stgnn.export import forget_origin, quiet
from predictors.stgnn.panel.card import PanelCard, unit_of, write_card
from predictors.stgnn.panel.network import PanelNet, TensorInputs

_EXAMPLE: Final = (2, 5, 3)
"""Origins, zones and neighbours of the example that is traced; all three stay open."""


class Portable(nn.Module):
    """The network as it is shipped: it holds the mean season, hears by a table of neighbours, and gives quantiles."""

    profile: Tensor

    def __init__(self, net: PanelNet, windows: Windows) -> None:
        super().__init__()
        self.net = net
        features = net.sizes.features
        profile = np.zeros((0, net.sizes.zones, features), np.float32) if windows.profile is None else windows.profile
        unknown = profile.mean(axis=1, keepdims=True)
        self.register_buffer("profile", torch.from_numpy(np.concatenate([profile, unknown], axis=1)))

    def forward(
        self, last: Tensor, observed: Tensor, calendar: Tensor, zones: Tensor, lags: Tensor | None = None,
        seasonal: Tensor | None = None, intents: Tensor | None = None, neighbours: Tensor | None = None,
        weights: Tensor | None = None, slots: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Return levels ``[B, N, H, F, 3]``.

        Args:
            last: As ``observed``, ``calendar``, ``lags`` and ``intents``: see
                :class:`~predictors.forecasting.windows.Inputs`; what is of no width is not given.
            observed: …
            calendar: …
            zones: ``int64 [N]``, which of the zones learnt from each is, or their number for one unknown.
            lags: …
            seasonal: ``[H, B, N, F, 2 S]``, without the columns of the mean season.
            intents: …
            neighbours: ``int64 [N, D]``; of a network along a given graph.
            weights: ``[N, D]``.
            slots: ``int64 [B, 1 + H]``, where in the mean season the origin and the targets lie.
        """
        nothing = last.new_zeros((*last.shape, 0))
        parts = [] if seasonal is None else [seasonal]
        if slots is not None:
            parts.append(self._profile_columns(last, zones, slots))
        seasons = torch.cat(parts, dim=-1) if parts else nothing.expand(self.net.sizes.horizons, *nothing.shape)
        inputs = TensorInputs(
            last, nothing if lags is None else lags, observed, seasons, calendar,
            nothing[..., 0, :] if intents is None else intents,
        )  # fmt: skip

        def hear(state: Tensor) -> Tensor:
            if neighbours is None or weights is None:
                return state
            return (state[:, neighbours] * weights[..., None]).sum(2)

        self.net.zones = zones
        outputs = self.net(inputs, hear=hear)
        levels = torch.cat([outputs.median[..., None], outputs.upper], dim=-1)
        return levels.permute(1, 2, 0, 3, 4)

    def _profile_columns(self, last: Tensor, zones: Tensor, slots: Tensor) -> Tensor:
        seasons = self.profile[slots][:, :, zones].transpose(0, 1)
        changes = seasons[1:] - seasons[:1]
        distance = (last - seasons[0]).expand_as(changes)
        known = (zones < self.net.sizes.zones).to(last.dtype)[:, None, None]
        return known * torch.stack([changes, distance], dim=-1)


def export_panel(net: PanelNet, windows: Windows, stem: Path, **more: Any) -> PanelCard:
    """Write ``stem.onnx``, ``stem.safetensors`` and ``stem.json``; return the card.

    Args:
        net: Trained.
        windows: What it learnt from.
        stem: Path without suffix; the folder is made if absent.
        **more: What else the card says: command, seed, metrics.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    net = net.cpu().eval()
    save_file(
        {name: tensor.contiguous() for name, tensor in net.state_dict().items()}, stem.with_suffix(".safetensors")
    )
    stem.with_suffix(".safetensors").chmod(0o644)
    _export_onnx(Portable(net, windows).eval(), stem.with_suffix(".onnx"))
    net.place(windows.series.panel)
    card = replace(panel_card(net, windows), **more)
    write_card(card, stem)
    return card


def panel_card(net: PanelNet, windows: Windows) -> PanelCard:
    """Return the card of a network, without how it was made."""
    series, scaling = windows.series, windows.scaling
    panel = series.panel
    offset, centre, deviation = (
        tuple(map(tuple, part.tolist())) for part in (scaling.offset, scaling.centre, scaling.deviation)
    )
    return PanelCard(
        features=panel.feature_names, units=tuple(map(unit_of, panel.feature_names)), zones=panel.names,
        step_s=series.step_s, lags=windows.lags, horizons=windows.horizons, seasons=series.seasons,
        profile_ticks=0 if windows.profile is None else len(windows.profile),
        start_s=0.0 if series.seconds is None else float(series.seconds[0]), intents=net.sizes.intents // 2,
        graph=net.sizes.graph, logarithmic=tuple(scaling.logarithmic.tolist()), offset=offset, centre=centre,
        deviation=deviation, source=Path(panel.source).name,
    )  # fmt: skip


def _export_onnx(portable: Portable, path: Path) -> None:
    """Write the ONNX file, with the numbers of origins, zones and neighbours left open."""
    inputs, shapes = _example(portable)
    with quiet(), torch.no_grad():
        torch.onnx.export(
            portable, kwargs=inputs, f=str(path), dynamo=True, dynamic_shapes=shapes, output_names=["levels"],
            external_data=False, verbose=False,
        )  # fmt: skip
    forget_origin(path)


def _example(portable: Portable) -> tuple[dict[str, Tensor], dict[str, dict[int, Any]]]:
    """Return inputs of the right names, types and shapes, and which of their axes are open."""
    sizes, (batch, zones, degree) = portable.net.sizes, _EXAMPLE
    rows, names = (batch, zones), {0: Dim("B"), 1: Dim("N")}
    seasonal = sizes.seasonal - 2 * bool(len(portable.profile))
    found: dict[str, tuple[Tensor, dict[int, Any]]] = {
        "last": (torch.randn(*rows, sizes.features), names),
        "observed": (torch.ones(*rows, sizes.features, sizes.lags), names),
        "calendar": (torch.zeros(batch, CALENDAR), {0: names[0]}),
        "zones": (torch.full((zones,), sizes.zones), {0: names[1]}),
    }
    if sizes.lags > 1:
        found["lags"] = (torch.randn(*rows, sizes.features, sizes.lags - 1), names)
    if seasonal:
        shape = (sizes.horizons, *rows, sizes.features, seasonal)
        found["seasonal"] = (torch.randn(*shape), {1: names[0], 2: names[1]})
    if sizes.intents:
        found["intents"] = (torch.randn(*rows, sizes.intents), names)
    if sizes.graph == "given":
        open_degree = {0: names[1], 1: Dim("D")}
        found["neighbours"] = (torch.zeros(zones, degree, dtype=torch.int64), open_degree)
        found["weights"] = (torch.rand(zones, degree), open_degree)
    if len(portable.profile):
        found["slots"] = (torch.zeros(batch, 1 + sizes.horizons, dtype=torch.int64), {0: names[0]})
    return {name: one[0] for name, one in found.items()}, {name: one[1] for name, one in found.items()}
