"""The page of every controller's parameters, written from their declarations and from what is shipped as tuned.

``python -m agents.reference`` prints it; a test holds the committed page against what is printed.
"""

from collections.abc import Iterator

from agents import CLAIRVOYANT, CLASSICAL, POLICIES
from agents.baselines.parameters import Parameter, parameters_of
from agents.tuned import shipped, tuned_controllers
from metaverse_env.plugins import resolve

_INTRODUCTION = """\
# Parameters of the controllers

What `agents.load(NAME, parameter=value)` takes. A value outside its range is refused. *Searched* is what
`metaverse benchmark tune` tries (whole: whole numbers only; log: by factors); what is not searched describes the world
or a system's fixed rule rather than the control. The last columns are the values that are shipped as tuned, which
`NAME@SCENARIO` takes. [docs/controllers.md](controllers.md) says what the controllers are and how they do.

**V** verified in a source, **E** an estimate, **M** measured, **choice** a decision. This page is printed by
`python -m agents.reference`.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *(line for name in sorted({*CLASSICAL, *CLAIRVOYANT}) for line in _section(name))])


def _section(name: str) -> Iterator[str]:
    """Yield the table of one controller; nothing for one without parameters of this kind."""
    listed = parameters_of(resolve("policy", name, POLICIES))
    if not listed:
        return
    tuned = {scenario: tuned_controllers(scenario).get(name, {}).get("parameters", {}) for scenario in shipped()}
    yield f"## {name}\n"
    yield f"| parameter | default | unit | range | searched | {' | '.join(tuned)} | meaning |"
    yield "|---" * (6 + len(tuned)) + "|"
    for one in listed:
        values = [f"{values[one.name]:.6g}" if one.name in values else "" for values in tuned.values()]
        yield f"| {' | '.join([*_cells(one), *values, one.range.about])} |"
    yield ""


def _cells(one: Parameter) -> list[str]:
    allowed = one.range
    return [
        f"`{one.name}`",
        f"{one.default:g}",
        allowed.unit or "1",
        f"{allowed.least:g} to {allowed.most:g}",
        _searched(one),
    ]


def _searched(one: Parameter) -> str:
    if one.range.search is None:
        return ""
    low, high = one.range.search
    kinds = ["whole"] * one.range.whole + ["log"] * one.range.logarithmic
    return ", ".join([f"{low:g} to {high:g}", *kinds])


if __name__ == "__main__":
    print(page(), end="")
