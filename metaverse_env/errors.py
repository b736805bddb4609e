"""Everything that a user can do wrong, as one tree of exceptions.

::

    MetaverseError
    ├── ConfigurationError   (ValueError)   a scenario, argument or file says something impossible
    │   ├── UnknownNameError                a name that no table holds; suggests the nearest
    │   ├── UnknownArgumentError (TypeError) a keyword argument that there is not; suggests the nearest
    │   ├── ScenarioError                   a scenario file or field
    │   ├── TraceError                      a trace of users that cannot be replayed
    │   └── PanelError                      a panel of series that breaks its format
    ├── ActionError          (ValueError)   an action or command outside its space
    ├── PolicyError          (RuntimeError) a controller that failed while deciding
    ├── ClusterError         (RuntimeError) a cluster that cannot be reached, or refuses
    ├── LifecycleError       (RuntimeError) step before reset, or after the end
    ├── CheckpointError      (ValueError)   weights that do not fit what is asked of them
    ├── SampleError          (ValueError)   an image, a recording or a motion that cannot be encoded
    └── MissingDependencyError (ImportError) an optional extra is not installed

A message names the value, the limit, the unit, the zone and the remedy. The built-in base class is kept, so that
``except ValueError`` of a caller who does not know us works. ``assert`` is for our own bugs only.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class MetaverseError(Exception):
    """Base of every error that a user can cause."""


class ConfigurationError(MetaverseError, ValueError):
    """An argument or a configuration that cannot be honoured."""


class UnknownNameError(ConfigurationError):
    """A name that is in no table.

    Args:
        kind: What was looked up, in words, such as ``"scenario"``.
        name: The name as the user gave it.
        known: Every name that would have been found.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(
            f"unknown {kind} {name!r}.{did_you_mean(str(name), self.known)} Known: {', '.join(self.known)}."
        )

    def __reduce__(self) -> tuple[type["UnknownNameError"], tuple[str, object, tuple[str, ...]]]:
        return type(self), (self.kind, self.name, self.known)


class UnknownArgumentError(ConfigurationError, TypeError):
    """A keyword argument that is not taken; a ``TypeError`` in Python's own words, as callers expect who try some out.

    TorchRL is one of them. Gymnasium passes it on with a longer message, so that this is all that it is made of.
    """

    @classmethod
    def among(cls, name: str, known: Iterable[str]) -> "UnknownArgumentError":
        """Return the error that names an argument, the nearest that there is, and all of them."""
        all_known = sorted(known)
        suggestion = did_you_mean(name, all_known)
        return cls(f"unexpected keyword argument {name!r}.{suggestion} Known: {', '.join(all_known)}.")


class ScenarioError(ConfigurationError):
    """A scenario whose file or fields are wrong."""


class TraceError(ConfigurationError):
    """A trace of users that cannot be replayed."""


class PanelError(ConfigurationError):
    """A panel of series that breaks its format."""


class ActionError(MetaverseError, ValueError):
    """An action or command with the wrong shape, type or values."""


class PolicyError(MetaverseError, RuntimeError):
    """A controller that raised while deciding; its own error is the cause."""


class ClusterError(MetaverseError, RuntimeError):
    """A cluster that cannot be reached, refuses, or answers nonsense; :mod:`bridges.errors` tells which."""


class LifecycleError(MetaverseError, RuntimeError):
    """An environment used in the wrong order."""


class CheckpointError(MetaverseError, ValueError):
    """Weights that do not fit the layout, units or horizon that are asked of them."""


class SampleError(MetaverseError, ValueError):
    """A raw sample, such as an image, a recording or a motion, that cannot be encoded.

    Attributes:
        encoded: What an encoder made of the batch in which it was met, the other samples included; ``None`` where no
            batch was encoded.
    """

    encoded: object = None


class MissingDependencyError(MetaverseError, ImportError):
    """An optional part is used whose extra is not installed.

    Args:
        what: What the user asked for.
        package: The import that failed.
        extra: The extra of this project that brings it.
    """

    def __init__(self, what: str, package: str, extra: str) -> None:
        self.what, self.package, self.extra = what, package, extra
        super().__init__(f"{what} needs {package}, which is not installed. Run: pip install 'metaverse-env[{extra}]'")

    def __reduce__(self) -> tuple[type["MissingDependencyError"], tuple[str, str, str]]:
        return type(self), (self.what, self.package, self.extra)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    nearest = get_close_matches(name, tuple(known), n=1, cutoff=0.5)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
