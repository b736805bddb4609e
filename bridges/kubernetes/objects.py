"""Objects of the API as plain JSON: read, listed, made, applied, patched, replaced and deleted."""

from typing import Literal, NamedTuple

from bridges.errors import ExpiredError, MalformedError
from bridges.kubernetes.answers import Request
from bridges.kubernetes.calling import Caller, address, encode
from bridges.kubernetes.resources import Json, Target
from metaverse_env.errors import ConfigurationError

PatchKind = Literal["strategic", "merge"]
APPLY = "application/apply-patch+yaml"
CONTENT_TYPES: dict[PatchKind, str] = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
}


class Listing(NamedTuple):
    """Objects, and the version of the whole at which they were read."""

    items: tuple[Json, ...]
    version: str


class Objects(Caller):
    """Verbs on objects. Every write names us as its field manager; none goes without a precondition but ``apply``.

    Every call raises the errors of :mod:`bridges.errors`, and :class:`~metaverse_env.errors.ConfigurationError` for
    what should not have been asked.
    """

    def get(self, target: Target) -> Json:
        """Return one object."""
        found = self.call(Request("GET", _one(target).path, verb="get", title=str(target)))
        if not isinstance(found.get("metadata"), dict):
            raise MalformedError(f"get {target}: an answer without metadata")
        return found

    def list(self, target: Target, label_selector: str = "", field_selector: str = "") -> Listing:
        """Return all objects that match, read in pages; of all namespaces where the target names none."""
        selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        bounded = self.until(self._end_s())
        try:
            return bounded._pages(target, selectors)
        except ExpiredError:  # the server forgot the version that the pages are of (T40)
            return bounded._pages(target, selectors)

    def _pages(self, target: Target, selectors: dict[str, str]) -> Listing:
        items: list[Json] = []
        token = ""
        while True:
            path = address(target.path, {**selectors, "limit": self.options.page, "continue": token})
            token, version = _page(self.call(Request("GET", path, verb="list", title=str(target))), items, target)
            if not token:
                return Listing(tuple(items), version)

    def create(self, target: Target, body: Json, dry_run: bool = False) -> Json:
        """Make an object, or post to a subresource of the one that is named."""
        return self._write("POST", "create", target, _typed(target, body), dry_run)

    def replace(self, target: Target, body: Json, dry_run: bool = False) -> Json:
        """Write an object as a whole, as of the ``metadata.resourceVersion`` at which it was read (T15)."""
        return self._write("PUT", "update", _one(target), _typed(target, _versioned(target, body)), dry_run)

    def apply(self, target: Target, body: Json, force: bool = False, dry_run: bool = False) -> Json:
        """Say all that we want of an object and nothing else (server-side apply).

        What we owned and do not name any more is removed. A ``metadata.resourceVersion`` is a precondition.

        Args:
            target: The object, or a subresource of it, whose own kind the body then has to name.
            body: What we want; its version, kind and name are added where they lack.
            force: Take fields that others own.
            dry_run: Only try.
        """
        named = {**body, "metadata": {"name": _one(target).name, **body.get("metadata", {})}}
        return self._write("PATCH", "patch", target, _typed(target, named), dry_run, APPLY, "true" if force else "")

    def patch(self, target: Target, body: Json, kind: PatchKind = "strategic", dry_run: bool = False) -> Json:
        """Change fields of an object, as of the ``metadata.resourceVersion`` at which it was read (T16)."""
        return self._write("PATCH", "patch", _one(target), _versioned(target, body), dry_run, CONTENT_TYPES[kind])

    def delete(self, target: Target, uid: str, dry_run: bool = False) -> Json:
        """Delete that very object, not one that was made under its name since."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        return self._write("DELETE", "delete", _one(target), body, dry_run)

    def _write(
        self,
        method: str,
        verb: str,
        target: Target,
        body: Json,
        dry_run: bool,
        content_type: str = "application/json",
        force: str = "",
    ) -> Json:
        query = {"dryRun": "All" if dry_run else "", "force": force}
        if method != "DELETE":  # servers before 1.25 do not know the second, and do not mind
            query |= {"fieldManager": self.options.field_manager, "fieldValidation": "Strict"}
        path, title = address(target.path, query), str(target)
        return self.call(Request(method, path, encode(body, title), content_type, verb, title, changes=not dry_run))


def _one(target: Target) -> Target:
    if not target.name:
        raise ConfigurationError(f"{target}: the name of one object is needed")
    return target


def _typed(target: Target, body: Json) -> Json:
    if target.subresource:
        return body
    return {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **body}


def _versioned(target: Target, body: Json) -> Json:
    if not body.get("metadata", {}).get("resourceVersion"):
        raise ConfigurationError(
            f"{target}: metadata.resourceVersion is needed, or another's change would be overwritten"
        )
    return body


def _page(found: Json, items: list[Json], target: Target) -> tuple[str, str]:
    """Add a page's objects, and return the next page's token and the version."""
    metadata, page = found.get("metadata"), found.get("items", ())
    page = () if page is None else page  # an empty list of Go
    if not (isinstance(metadata, dict) and isinstance(page, list | tuple) and all(isinstance(i, dict) for i in page)):
        raise MalformedError(f"list {target}: an answer that is no list of objects")
    items.extend(page)
    return str(metadata.get("continue") or ""), str(metadata.get("resourceVersion") or "")
