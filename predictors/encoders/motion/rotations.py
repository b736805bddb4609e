"""Rotations of many frames at once, and forward kinematics along a tree of joints."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

Array = np.ndarray
_TURNS: Final = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}
"""The two axes that a rotation about an axis turns into each other, first into second."""


def about(axis: str, angle: Array) -> Array:
    """Return rotation matrices ``[frames, 3, 3]`` about ``"x"``, ``"y"`` or ``"z"`` by angles ``[frames]``, rad.

    >>> (about("z", np.array([np.pi / 2])) @ np.array([1.0, 0.0, 0.0])).round(9).tolist()
    [[0.0, 1.0, 0.0]]
    """
    first, second = _TURNS[axis]
    matrices = np.broadcast_to(np.eye(3), (*angle.shape, 3, 3)).copy()
    matrices[..., first, first] = matrices[..., second, second] = np.cos(angle)
    matrices[..., second, first] = np.sin(angle)
    matrices[..., first, second] = -matrices[..., second, first]
    return matrices


def of_quaternions(wxyz: Array) -> Array:
    """Return the rotation matrices ``[frames, 3, 3]`` of quaternions ``[frames, 4]``, which need not have length 1."""
    w, x, y, z = np.moveaxis(wxyz / np.linalg.norm(wxyz, axis=-1, keepdims=True), -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


class Link(NamedTuple):
    """A joint of a tree.

    Attributes:
        parent: Name of the joint that it hangs on, which stands before it.
        offset: Where it is in its parent's frame.
    """

    parent: str
    offset: tuple[float, float, float]


def posed(
    links: Mapping[str, Link], turns: Mapping[str, Array], root: str, at: Array, scale: float = 1.0
) -> dict[str, Array]:
    """Return where each joint is, by forward kinematics.

    Args:
        links: Joints in an order in which parents come first, without the root.
        turns: Rotations ``[frames, 3, 3]`` of joints in their parents' frames; a joint without one does not turn.
        root: Name of the root.
        at: Its path, ``[frames, 3]``.
        scale: Of all offsets.

    Returns:
        Paths ``[frames, 3]`` by joint, the root's included.
    """
    places, frames = {root: at}, {root: turns[root]}
    for name, (parent, offset) in links.items():
        places[name] = places[parent] + frames[parent] @ (scale * np.asarray(offset))
        frames[name] = frames[parent] @ turns[name] if name in turns else frames[parent]
    return places


def chained(axes: Sequence[tuple[str, Array]]) -> Array:
    """Return the product of rotations about the joint's own axes, in order."""
    product = about(*axes[0])
    for axis, angle in axes[1:]:
        product = product @ about(axis, angle)
    return product
