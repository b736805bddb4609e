"""Safe access to the Kubernetes API; the only module that imports its package.

Of the package it takes what is hard to get right: credentials of kubeconfig files, with the plug-ins that fetch
tokens, and those of a pod's own account, and TLS. Objects are plain JSON, as the API's manual shows them: the package's
models cannot read the answers of every version, and lose microseconds. Its retries are off (T33): they are silent, and
not the same for every method.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from bridges.clock import SystemClock
from bridges.contracts import Clock
from bridges.kubernetes.connection import Connection, Login
from bridges.kubernetes.objects import Listing, Objects
from bridges.kubernetes.options import ClientOptions
from metaverse_env.errors import ConfigurationError, MissingDependencyError

try:
    from kubernetes import client as package
    from kubernetes import config as files
except ImportError as error:  # pragma: no cover - tests have it
    raise MissingDependencyError("the Kubernetes bridge", "kubernetes", "bridges") from error

__all__ = ["ApiClient", "ClientOptions", "Listing"]

Load = Callable[[Any], None]
"""Fills in a configuration of the package."""


class ApiClient(Objects):
    """One cluster's API under one account.

    ::

    with ApiClient.from_kubeconfig() as client:
        client.get(DEPLOYMENTS.at("default", "zone-1"))["spec"]["replicas"]
    """

    @classmethod
    def from_kubeconfig(
        cls,
        path: str | Path | None = None,
        context: str | None = None,
        clock: Clock | None = None,
        options: ClientOptions | None = None,
    ) -> Self:
        """Return a client by a kubeconfig file: this one, else the one in ``KUBECONFIG`` or the home folder.

        Raises:
            ConfigurationError: It cannot be read, or lacks something.
        """
        file = None if path is None else str(path)
        if file is not None and not Path(file).is_file():
            raise ConfigurationError(f"kubeconfig {file!r}: there is no such file")
        return cls._by(lambda to: files.load_kube_config(file, context, to, persist_config=False), clock, options)

    @classmethod
    def in_cluster(cls, clock: Clock | None = None, options: ClientOptions | None = None) -> Self:
        """Return a client by the account of the pod that this runs in; its token is read anew as it rotates.

        Raises:
            ConfigurationError: This does not run in a pod, or the pod was given no token.
        """
        return cls._by(files.load_incluster_config, clock, options)

    @classmethod
    def at(
        cls,
        server: str,
        token_file: str | Path,
        ca_file: str | Path | None = None,
        clock: Clock | None = None,
        options: ClientOptions | None = None,
    ) -> Self:
        """Return a client of a server at an ``https://`` address, by a file with a token, which is read anew (T38).

        Raises:
            ConfigurationError: The address or a file cannot be.
        """
        if not server.startswith("https://"):
            raise ConfigurationError(f"server {server!r}: an address with https:// is needed, as it is sent a token")
        return cls._by(lambda to: _fill_in(to, server, Path(token_file), ca_file), clock, options)

    @classmethod
    def _by(cls, load: Load, clock: Clock | None, options: ClientOptions | None) -> Self:
        clock, options = clock or SystemClock(), options or ClientOptions()
        return cls(Connection(lambda: _log_in(load), clock, int(options.largest_answer_mb * 1e6)), clock, options)


def _log_in(load: Load) -> Login:
    configuration = package.Configuration()
    try:
        load(configuration)
        configuration.retries = False
        opened = package.ApiClient(configuration)
    except (files.ConfigException, OSError, ValueError) as error:
        raise ConfigurationError(
            f"cannot log in to Kubernetes: {str(error).rstrip('.')}. Name a kubeconfig, or see KUBECONFIG"
        ) from error
    server = configuration.host.rstrip("/")
    return Login(server, opened.rest_client.pool_manager, lambda: _token(configuration), opened.close)


def _token(configuration: Any) -> str | None:
    """Return the header's value; the package refreshes it when it is due."""
    setting = configuration.auth_settings().get("BearerToken")
    return None if setting is None else str(setting["value"]).strip()


def _fill_in(configuration: Any, server: str, token_file: Path, ca_file: str | Path | None) -> None:
    def read(filled: Any) -> None:
        filled.api_key["BearerToken"] = f"Bearer {token_file.read_text(encoding='utf-8').strip()}"

    configuration.host, configuration.ssl_ca_cert = server, None if ca_file is None else os.fspath(ca_file)
    configuration.refresh_api_key_hook = read
    read(configuration)
