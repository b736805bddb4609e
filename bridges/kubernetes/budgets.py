"""Disruption budgets: how many pods may go at once."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bridges.kubernetes.documents import Document, name_of, rows, texts, whole
from bridges.kubernetes.limits import Refusal


class Budget(NamedTuple):
    """A PodDisruptionBudget.

    Attributes:
        name: Of it.
        labels: That a pod has to have to count.
        expressions: Further conditions, as the API has them.
        allowed: How many pods may go now.
    """

    name: str
    labels: Mapping[str, str]
    expressions: tuple[Document, ...]
    allowed: int


def read_budgets(documents: Iterable[Document]) -> tuple[Budget, ...]:
    """Return the budgets; one that its controller has not looked at yet allows nothing."""
    return tuple(
        Budget(
            name_of(document),
            texts(document, "spec", "selector", "matchLabels"),
            tuple(rows(document, "spec", "selector", "matchExpressions", most=100)),
            whole(document, "status", "disruptionsAllowed"),
        )
        for document in documents
    )


def matches(budget: Budget, labels: Mapping[str, str]) -> bool:
    """Return whether a pod with these labels counts."""
    if not budget.labels.items() <= labels.items():
        return False
    return all(_holds(expression, labels) for expression in budget.expressions)


def _holds(expression: Document, labels: Mapping[str, str]) -> bool:
    key = str(expression.get("key"))
    values: list[object] = list(expression.get("values") or ())
    operator = str(expression.get("operator"))
    if operator in {"Exists", "DoesNotExist"}:
        return (key in labels) == (operator == "Exists")
    listed = labels.get(key) in values
    return listed if operator == "In" else not listed


def exhausted(zone: str, budgets: Iterable[Budget], labels: Mapping[str, str], going: int) -> Refusal | None:
    """Refuse, for now, what takes more pods away at once than a budget allows.

    The server keeps evictions to it, but no rollouts: this is our own restraint.
    """
    for budget in budgets:
        if matches(budget, labels) and going > budget.allowed:
            message = (
                f"zone {zone!r}: PodDisruptionBudget {budget.name!r} lets {budget.allowed} pods go now, not {going}"
            )
            return Refusal("DisruptionBudget", f"{message}; it is tried again later")
    return None
