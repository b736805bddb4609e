"""What can go wrong with a cluster, told apart by what to do about it."""

from metaverse_env.errors import ClusterError


class UnavailableError(ClusterError):
    """It did not answer, or asked for patience (429, 5xx, timeout): nothing was done; later it may work.

    Attributes:
        retry_after_s: How long it asked to wait, or ``None``.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[type["UnavailableError"], tuple[str, float | None]]:
        return type(self), (str(self), self.retry_after_s)


class CircuitOpenError(UnavailableError):
    """It failed so often in a row that it was not asked: nothing was done; it will be tried after ``retry_after_s``."""


class OutcomeUnknownError(ClusterError):
    """The connection broke during a write: whether it was done has to be read back."""


class UnauthorisedError(ClusterError):
    """The credentials are not accepted (401)."""


class DeniedError(ClusterError):
    """The account may not do this (403). The message names the verb and the resource."""


class NotFoundError(ClusterError):
    """The object, or the API that serves it, is not there (404)."""


class ExpiredError(ClusterError):
    """A page or a version that the server no longer holds (410): read anew from the start."""


class ConflictError(ClusterError):
    """Somebody else changed or owns it (409).

    Attributes:
        fields: Paths in conflict, to the manager that owns each; empty for a stale version.
    """

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}

    def __reduce__(self) -> tuple[type["ConflictError"], tuple[str, dict[str, str]]]:
        return type(self), (str(self), self.fields)


class RejectedError(ClusterError):
    """The server finds it invalid (400, 422): the same again will never work."""


class MalformedError(ClusterError):
    """An answer that is not what the API promises."""


class NotLeaderError(ClusterError):
    """Another replica leads, or nobody is known to: nothing may be written."""


class ShutError(ClusterError):
    """A write that was not made because the door was shut: paused, asked to stop, or no longer the leader."""
