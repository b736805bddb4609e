"""The keyword arguments of an environment, which come through ``gym.make`` unchecked."""

from collections.abc import Mapping
from inspect import signature
from typing import Any, Final

from metaverse_env.envs.shell import Shell
from metaverse_env.errors import UnknownArgumentError

_NOT_FOR_USERS: Final = {"worlds", "arguments"}
"""The number of worlds is the environment's business; the other is the ``**arguments`` themselves."""


def check_arguments(environment: type, arguments: Mapping[str, Any]) -> None:
    """Refuse a keyword that neither an environment nor its shell takes, before anything is built.

    Args:
        environment: The class whose own keywords there are.
        arguments: What it was given beside them.

    Raises:
        UnknownArgumentError: Names the first such keyword and the nearest that there is.
    """
    known = {*signature(environment).parameters, *signature(Shell).parameters} - _NOT_FOR_USERS
    for name in arguments:
        if name not in known:
            raise UnknownArgumentError.among(name, known)
