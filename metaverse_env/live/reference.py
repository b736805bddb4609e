"""The table of keys of ``docs/live.md``, from the controls that the help of the picture shows.

``python -m metaverse_env.live.reference`` prints it.
"""

from collections.abc import Iterator

from metaverse_env.rendering.interface import CONTROLS, LAYERS
from metaverse_env.rendering.overlay import key_name


def keys_table() -> str:
    """Return the table in Markdown, a row for each control, then one for the layers."""
    rows = [("key", "does"), ("---", "---"), *_rows()]
    return "".join(f"| {keys} | {does} |\n" for keys, does in rows)


def _rows() -> Iterator[tuple[str, str]]:
    for control in CONTROLS:
        yield " ".join(f"`{key_name(key)}`" for key in control.keys), control.help
    yield f"`1` to `{len(LAYERS)}`", f"show or hide: {', '.join(LAYERS)}"


if __name__ == "__main__":
    print(keys_table(), end="")
