"""The scenarios that are shipped, and the one door through which every scenario comes."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from metaverse_env.errors import ScenarioError, UnknownNameError, did_you_mean
from metaverse_env.scenario.loading import Document, beside, build, extended, read_document
from metaverse_env.scenario.root import Scenario

SCENARIOS: Final[dict[str, str]] = {
    "single_zone": "single_zone.toml",
    "multi_zone": "multi_zone.toml",
    "complex": "complex.toml",
}
"""Names of the catalogue and their files, which stand beside this module."""


def load_scenario(source: str | Path | Scenario) -> Scenario:
    """Return a scenario by name or from a file.

    Args:
        source: A name of :data:`SCENARIOS`, the path of a ``.toml``, ``.yaml`` or ``.yml`` file, or a scenario, which
            is returned as it is.

    Raises:
        UnknownNameError: If it is neither a name of the catalogue nor a file name with an ending.
        ScenarioError: If the file has another ending or cannot be read, or naming everything that is wrong in it.

    >>> load_scenario("single_zone").layout.zones
    1
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, str) and source in SCENARIOS:
        return _shipped(source)
    if isinstance(source, Path) or (isinstance(source, str) and Path(source).suffix):
        path = Path(source)
        return build(beside(_resolved(read_document(path)), path.parent))
    raise UnknownNameError("scenario", source, SCENARIOS)


@cache
def _shipped(name: str) -> Scenario:
    return build(_resolved(_document(name)))


def _document(name: str) -> Document:
    return read_document(files(__package__) / SCENARIOS[name])


def _resolved(document: Document) -> Document:
    """Replace the key ``extends`` by what the scenario that it names says."""
    if "extends" not in document.data:
        return document
    own = {key: value for key, value in document.data.items() if key != "extends"}
    base = _base(document.data["extends"], document)
    return Document(extended(_resolved(base).data, own), document.source)


def _base(name: Any, document: Document) -> Document:
    if isinstance(name, str) and name in SCENARIOS:
        return _document(name)
    known = ", ".join(sorted(SCENARIOS))
    place = document.source.place(("extends",))
    raise ScenarioError(f"{place}: extends = {name!r}, expected one of {known}.{did_you_mean(str(name), SCENARIOS)}")
