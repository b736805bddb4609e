"""What a fresh process pays: to import, to take its first step with or without compiled code on disk, in memory."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from metaverse_env.errors import MetaverseError

ROOT: Final = Path(__file__).parents[1]
"""Where the packages stand."""
PACKAGES: Final = ("metaverse_env", "predictors")
"""What the default environment is made of."""
HEAVY: Final = ("torch", "transformers", "numba", "onnxruntime", "pygame", "matplotlib")
"""What importing the package must not load."""
LIMIT_S: Final = 300.0

_IMPORT: Final = """
import json, sys, time
start = time.perf_counter()
import {module}
print(json.dumps({{"seconds": time.perf_counter() - start, "modules": sorted(sys.modules)}}))
"""
_FIRST_STEP: Final = """
import gymnasium as gym, json
{imports}
env = gym.make({name!r}, **json.loads({arguments!r}))
env.reset(seed=0)
env.action_space.seed(0)
env.step(env.action_space.sample())
print("{{}}")
"""
_MEMORY: Final = """
import gymnasium as gym, json
{imports}
envs = gym.make_vec({name!r}, num_envs={worlds}, vectorization_mode="vector_entry_point", **json.loads({arguments!r}))
envs.reset(seed=0)
envs.action_space.seed(0)
actions = envs.action_space.sample()
for _ in range(4):
    envs.step(actions)
pages = int(open("/proc/self/statm").read().split()[1])
import os
print(json.dumps({{"mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6}}))
"""


def import_s(module: str) -> tuple[float, list[str]]:
    """Return how long a fresh interpreter takes to import a module, s, and which of :data:`HEAVY` that loads."""
    found = measured(_IMPORT.format(module=module))
    return found["seconds"], [name for name in HEAVY if name in found["modules"]]


def first_step_s(name: str, root: Path = ROOT, imports: str = "", **arguments: Any) -> float:
    """Return how long a fresh interpreter takes from its start to the end of an environment's first step, s."""
    start_s = time.perf_counter()
    measured(_FIRST_STEP.format(imports=imports, name=name, arguments=json.dumps(arguments)), root)
    return time.perf_counter() - start_s


def resident_mb(name: str, worlds: int, imports: str = "", **arguments: Any) -> float:
    """Return the resident memory of a process that steps so many worlds, MB."""
    text = _MEMORY.format(imports=imports, name=name, worlds=worlds, arguments=json.dumps(arguments))
    megabytes: float = measured(text)["mb"]
    return megabytes


@contextmanager
def uncompiled_copy() -> Iterator[Path]:
    """Copy the packages without their caches to a passing place: compiled code lies beside its source."""
    with tempfile.TemporaryDirectory(prefix="metaverse-cold-") as folder:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, Path(folder) / package, ignore=shutil.ignore_patterns("__pycache__"))
        yield Path(folder)


def measured(
    text: str, root: Path = ROOT, environment: Mapping[str, str] | None = None, limit_s: float = LIMIT_S
) -> dict[str, Any]:
    """Run a script of ours in a fresh interpreter; return what its last line says in JSON.

    Args:
        text: The script.
        root: Where the packages stand.
        environment: Variables beside those of this process.
        limit_s: After so long it is stopped, s.

    Raises:
        MetaverseError: It failed or took too long.
    """
    variables = {**os.environ, "PYTHONPATH": str(root), **(environment or {})}
    command = [sys.executable, "-c", text]
    try:
        done = subprocess.run(  # noqa: S603 (our own scripts, above)
            command, cwd=root, env=variables, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MetaverseError(f"a measurement in a fresh process was stopped after {limit_s:g} s") from error
    if done.returncode != 0:
        raise MetaverseError(f"a measurement in a fresh process failed: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
