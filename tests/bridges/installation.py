"""The files of an installation with the default settings, as documents."""

from collections.abc import Iterator
from typing import Any

import yaml

from bridges.manifests.settings import Settings
from bridges.manifests.writing import make

Json = dict[str, Any]
FILES = make(Settings())
NEWER = ("1.33", "1.34", "1.35", "1.36", "1.37")
TEMPLATED = {"Deployment"}
FOREIGN = {"ServiceMonitor", "PrometheusRule", "Kustomization", "Component"}


def documents(files: dict[str, str]) -> list[tuple[str, Json]]:
    return [
        (path, document)
        for path, text in files.items()
        if path.endswith(".yaml")
        for document in yaml.load_all(text, yaml.CSafeLoader)
    ]


DOCUMENTS = documents(FILES)


def named(*kinds: str) -> list[Json]:
    return [document for _, document in DOCUMENTS if document["kind"] in kinds]


def pods() -> Iterator[tuple[str, Json]]:
    for document in named(*TEMPLATED):
        yield document["metadata"]["name"], document["spec"]["template"]["spec"]
