"""What tells weights apart."""

import hashlib

from torch import nn


def weights_hash(model: nn.Module, *parts: object) -> str:
    """Return 12 hexadecimal digits that tell weights apart, and with them whatever else changes an encoding.

    Args:
        model: Its class name and weights count, wherever they were read from and on whichever device they are.
        parts: Such as the settings of preprocessing; their ``repr`` counts.
    """
    digest = hashlib.sha256(repr((type(model).__name__, *parts)).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:12]
