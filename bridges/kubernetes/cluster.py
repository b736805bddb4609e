"""A Kubernetes cluster as a :class:`~bridges.contracts.Cluster`: zones are Deployments."""

from collections.abc import Mapping, Sequence

from bridges.contracts import Change, Clock, Receipt, Snapshot
from bridges.kubernetes.aftercare import Aftercare
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.handover import Router
from bridges.kubernetes.limits import open_ledger
from bridges.kubernetes.putting import Epoch, Fence, FencedError, Putter
from bridges.kubernetes.reading import Picture, Reader
from bridges.kubernetes.resizing import drifted
from bridges.kubernetes.settings import ClusterSettings
from bridges.kubernetes.verdicts import Memory
from bridges.kubernetes.writing import Writer, failure
from metaverse_env.errors import ActionError, ClusterError, LifecycleError


def always() -> None:
    """Let every write pass: the fence of one who is alone."""


def no_epoch() -> int | None:
    """Return that there is no leadership."""
    return None


def passed(fence: Fence) -> None:
    """Pass a fence.

    Raises:
        FencedError: It is closed.
    """
    try:
        fence()
    except ClusterError as error:
        raise FencedError(str(error)) from error


class KubernetesCluster:
    """Deployments of one namespace, read and written through the API.

    Nothing is written that another controller decides about, that the namespace's limits or the nodes cannot hold, or
    that would take a zone away. Whatever is written says so in an annotation of the Deployment, so that a restart goes
    on where it stopped.

    Args:
        client: Under our field manager; its own limits hold for the rate of requests.
        settings: Which Deployments are zones, and what may be done to them.
        fence: Called right before each mutating request; raises a
            :class:`~metaverse_env.errors.ClusterError` to drop it.
        epoch: Number of the leadership, stamped on what is written; what a later one wrote is left alone.
    """

    def __init__(
        self, client: ApiClient, settings: ClusterSettings, fence: Fence = always, epoch: Epoch = no_epoch
    ) -> None:
        clock: Clock = client.clock
        self.settings = settings
        self._client, self._clock = client, clock
        self._memory = Memory(settings)
        self._reader = Reader(client, settings, clock)
        fenced = client.behind(lambda: passed(fence))
        self._putter = Putter(fenced, settings, clock, self._memory, epoch)
        self._writer = Writer(self._reader, self._putter, self._memory, settings, clock, self._resizes)
        self._router = Router(fenced, settings)
        self._aftercare = Aftercare(self._reader, self._writer, self._putter, self._memory, settings, clock)
        self._picture: Picture | None = None

    def read(self) -> Snapshot:
        """Return how things stand; makes no change.

        Raises:
            ClusterError: It could not be read; the kind says what to do about it.
        """
        picture = self._reader.read()
        held = {name: dict(parts) for name, parts in picture.held.items()}
        for facts in picture.facts.values():
            others = self._memory.look(facts, picture.snapshot.read_s)
            held[facts.workload.name] = {**held[facts.workload.name], **others}
        self._memory.forget(frozenset(facts.workload.uid for facts in picture.facts.values()))
        workloads = tuple(
            workload._replace(held={part: str(refusal) for part, refusal in held[workload.name].items()})
            for workload in picture.snapshot.workloads
        )
        self._picture = picture._replace(held=held, snapshot=picture.snapshot._replace(workloads=workloads))
        return self._picture.snapshot

    def write(self, changes: Sequence[Change], snapshot: Snapshot, dry_run: bool = False) -> tuple[Receipt, ...]:
        """Ask for changes, given what was read last; one receipt each, in their order.

        A receipt that is ``written`` in part has the code and message of the part that is not.

        Raises:
            LifecycleError: The snapshot is not the last that was read here.
        """
        picture = self._of(snapshot)
        ledger = open_ledger(picture.rules, picture.snapshot.nodes)
        receipts: list[Receipt] = []
        for change in changes:
            if receipts and receipts[-1].code == "Fenced":  # nothing more is read for what will not be written
                receipts.append(receipts[-1]._replace(change=change))
                continue
            receipt, ledger = self._writer.write(change, picture, ledger, dry_run)
            receipts.append(self._with_handover(receipt, picture, dry_run))
        return tuple(receipts)

    def verify(self, snapshot: Snapshot) -> tuple[Receipt, ...]:
        """Judge earlier writes by what was read since; take back, once, what cannot come about.

        Raises:
            LifecycleError: The snapshot is not the last that was read here.
        """
        return self._aftercare.look_after(self._of(snapshot))

    @property
    def drift(self) -> Mapping[str, int]:
        """Return how many pods of each zone do not have the size that they were asked to be resized to."""
        if self._picture is None:
            return {}
        found = {}
        for zone, facts in self._picture.facts.items():
            mark = self._memory.mark(facts)
            if mark is not None and mark.in_place and mark.asked.resources is not None:
                found[zone] = len(drifted(self._picture.pods.get(zone, ()), mark.asked.resources))
        return found

    def _resizes(self) -> bool:
        return self._client.features().resize

    def _of(self, snapshot: Snapshot) -> Picture:
        picture = self._picture
        if picture is None or picture.snapshot.read_s != snapshot.read_s:
            raise LifecycleError("the snapshot is not the last that this cluster read; call read() before write()")
        return picture

    def _with_handover(self, receipt: Receipt, picture: Picture, dry_run: bool) -> Receipt:
        change = receipt.change
        if change.handover is None or receipt.code in {"NotFound", "Gone", "Invalid", "Fenced", "Unauthorised"}:
            return receipt
        try:
            wrote, advice = self._router.write(change, picture.facts, dry_run)
        except ActionError as error:
            return receipt._replace(result="refused", code="Invalid", message=str(error))
        except ClusterError as error:
            return failure(change, error)._replace(advice=receipt.advice)
        result = receipt.result
        if wrote and result == "unchanged":
            result = "dry_run" if dry_run else "written"
        return receipt._replace(result=result, advice=(*receipt.advice, *advice))
