"""What of a comparison is finished: rows by policy and seed, on disk after every block of worlds.

Nothing that is finished is lost when a comparison is interrupted, and ``--resume`` goes on from there. It is asked for
and not done by itself, since a policy's code may have changed meanwhile, unseen; conditions are compared.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.conditions import Conditions
from benchmarks.report import SUMMARY, write_summary
from benchmarks.scores import METRICS, Result, Scores
from metaverse_env.errors import ConfigurationError

ROWS: Final = "results.csv"
NAMES: Final = tuple(metric.name for metric in METRICS)
_START_ANEW: Final = "Leave --resume out to start anew, or name another folder"


class Finished:
    """The rows of a comparison that are there.

    Args:
        terms: The conditions under which they came about.
        folder: Where to keep them; ``None`` keeps them in memory only.
        order: Policies that stand first, however early or late they finished.
    """

    def __init__(self, terms: Conditions, folder: Path | None = None, order: Sequence[str] = ()) -> None:
        self.terms, self.folder, self.order = terms, folder, tuple(order)
        self._rows: dict[str, dict[int, list[float]]] = {}

    @classmethod
    def resumed(cls, terms: Conditions, folder: Path, order: Sequence[str] = ()) -> "Finished":
        """Go on with the rows of a folder; with none if nothing was finished in it.

        Raises:
            ConfigurationError: They came about under other conditions, or cannot be read.
        """
        finished = cls(terms, folder, order)
        try:
            if (folder / SUMMARY).exists():
                _check_same(folder, json.loads((folder / SUMMARY).read_text(encoding="utf-8")), terms)
                finished._read(folder / ROWS)
        except (OSError, ValueError, LookupError) as error:
            if isinstance(error, ConfigurationError):
                raise
            raise ConfigurationError(f"cannot resume in {folder}: {error}. {_START_ANEW}.") from error
        return finished

    def has(self, policy: str, seeds: Sequence[int]) -> bool:
        """Tell whether all of these seeds are finished."""
        return self._rows.get(policy, {}).keys() >= set(seeds)

    def add(self, policy: str, seeds: Sequence[int], scores: Scores) -> None:
        """Take in a block and write everything."""
        columns = [scores[name].tolist() for name in NAMES]
        rows = {seed: list(row) for seed, row in zip(seeds, zip(*columns, strict=True), strict=True)}
        self._rows[policy] = self._rows.get(policy, {}) | rows
        self.save()

    def save(self) -> None:
        """Write what there is, over what there was."""
        if self.folder is not None:
            self._write(self.folder)

    def result(self, policy: str) -> Result:
        """Return what a policy gave in all seeds of the conditions; they must be finished."""
        rows = self._rows[policy]
        columns = np.array([rows[seed] for seed in self.terms.seeds]).T
        return Result(policy, dict(zip(NAMES, columns, strict=True)))

    @property
    def results(self) -> list[Result]:
        """Those of the policies whose seeds are all finished."""
        return [self.result(policy) for policy in self._ordered() if self.has(policy, self.terms.seeds)]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(map(len, self._rows.values()))

    def _ordered(self) -> list[str]:
        """Return who has rows: the first ones in their order, others as they came."""
        return [
            *(name for name in self.order if name in self._rows),
            *(name for name in self._rows if name not in self.order),
        ]

    def _write(self, folder: Path) -> None:
        """Write rows and summary, each in one go: never half a file."""
        partial = folder / f"{ROWS}.part"
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["policy", "seed", *NAMES])
            for policy in self._ordered():
                rows = self._rows[policy]
                writer.writerows([policy, seed, *map(repr, rows[seed])] for seed in sorted(rows))
        partial.replace(folder / ROWS)
        write_summary(folder, self.terms, self.results)  # last: its conditions are never those of older rows

    def _read(self, path: Path) -> None:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                values = [float(row[name]) for name in NAMES]
                self._rows.setdefault(row["policy"], {})[int(row["seed"])] = values


def _check_same(folder: Path, found: dict[str, object], terms: Conditions) -> None:
    for name, wanted in terms.facts().items():
        if found[name] != wanted:
            raise ConfigurationError(
                f"cannot resume in {folder}: there {name} is {found[name]}, and now it is {wanted}. {_START_ANEW}."
            )
