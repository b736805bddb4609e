"""Where motions to learn from come from: the project's synthesis, DeepMimic's clips, KIT-ML or HumanML3D."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from metaverse_env.errors import ConfigurationError
from predictors.encoders.motion.clips import PREFIX, held_out, read_clips, split_clips
from predictors.encoders.motion.kitml import open_folder
from predictors.encoders.motion.learning import Known, known_of
from predictors.encoders.motion.samples import Labelled
from predictors.encoders.motion.synthesis import synthesise

Say = Callable[[str], None]
VALIDATION: Final = range(100_000, 100_004)
"""Performers that say when to stop."""
TEST: Final = 200_000
"""Number of the first performer that figures come from; these decide nothing."""
TESTERS: Final = 8
"""How many of them, unless it is said otherwise [choice]."""
WIDER: Final = 2.0
"""Stretches the ranges of performers who validate and of half of those who test: they are like none learnt from."""
_SHOWN: Final = 5
"""Problems that are told one by one."""


@dataclass(frozen=True)
class Gathered:
    """Motions by their use.

    Attributes:
        training: To learn from.
        validation: That say when to stop.
        tests: That figures come from, by name.
        words: What it all is, and who was held out.
    """

    training: Known
    validation: Known
    tests: dict[str, Known] = field(default_factory=dict)
    words: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """All captions, each once."""
        known = (self.training, self.validation, *self.tests.values())
        return tuple(dict.fromkeys(sentence for one in known for sentence in one.sentences))


@dataclass
class _Pile:
    """What has been gathered so far."""

    training: list[Labelled] = field(default_factory=list)
    validation: list[Labelled] = field(default_factory=list)
    tests: dict[str, list[Labelled]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def gather(
    folders: Sequence[Path], performers: int, fold: int, seed: int, say: Say, testers: int = TESTERS
) -> Gathered:
    """Read and synthesise motions.

    Args:
        folders: Of DeepMimic's clips, KIT-ML or HumanML3D.
        performers: Who are synthesised to learn from; none leaves the synthesis out.
        fold: Of the clips, which are held out.
        seed: Of the synthesis.
        say: Told in a line what was missing.
        testers: Performers that figures come from.

    Raises:
        ConfigurationError: There is nothing to learn from, or to validate with, or a folder has no known layout.
    """
    pile = _Pile()
    if performers:
        _add_synthetic(pile, performers, testers, seed)
    for folder in folders:
        if any(folder.glob(f"{PREFIX}*.txt")):
            _add_clips(pile, folder, fold)
        else:
            _add_folder(pile, folder, say)
    if not (pile.training and pile.validation):
        raise ConfigurationError(
            f"there are {len(pile.training)} motions to learn from and {len(pile.validation)} to validate with; "
            "add --synthetic, or a --data with both parts"
        )
    tests = {name: known_of(samples) for name, samples in pile.tests.items() if samples}
    return Gathered(known_of(pile.training), known_of(pile.validation), tests, "; ".join(pile.words))


def _add_synthetic(pile: _Pile, performers: int, testers: int, seed: int) -> None:
    pile.training += synthesise(range(performers), seed)
    pile.validation += synthesise(VALIDATION, seed, WIDER)
    tests = range(TEST, TEST + testers)
    pile.tests["synthetic, new performers"] = list(synthesise(tests, seed))
    pile.tests["synthetic, unlike performers"] = list(synthesise(tests, seed, WIDER))
    pile.words.append(f"synthetic motions of {performers} performers, seed {seed}")


def _add_clips(pile: _Pile, folder: Path, fold: int) -> None:
    learnt, out = split_clips(read_clips(folder), fold)
    pile.training += learnt
    pile.tests["DeepMimic, held-out clips"] = out
    pile.words.append(f"DeepMimic clips (MIT) without fold {fold}: {', '.join(held_out(fold))}")


def _add_folder(pile: _Pile, folder: Path, say: Say) -> None:
    found, problems = open_folder(folder), dict[str, str]()
    pile.training += found.read("train", problems)
    pile.validation += found.read("val", problems)
    pile.tests[f"{folder.name}, test"] = list(found.read("test", problems))
    listed = sum(map(len, found.parts.values()))
    pile.words.append(f"{folder.name}: {listed - len(problems)} of {listed} motions")
    for motion_id, problem in list(problems.items())[:_SHOWN]:
        say(f"{folder.name}: {motion_id} is left out: {problem}")
    if len(problems) > _SHOWN:
        say(f"{folder.name}: and {len(problems) - _SHOWN} more")
