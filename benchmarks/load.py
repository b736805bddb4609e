"""Load from outside the interpreter: wrk, a generator that a server in Python cannot slow down."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from metaverse_env.errors import MetaverseError
from metaverse_env.units import MS_PER_S

_SCRIPT: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local embedding, count = {}, 0
for entry = 1, %d do embedding[entry] = string.format("%%.6f", math.sin(entry)) end
request = function()
  count = count + 1
  return wrk.format(nil, nil, nil, string.format('{"zone_name":"zone-%%d","active_users":%%d,"embedding":[%%s]}',
    count %% %d + 1, count %% 997, table.concat(embedding, ",")))
end
"""
_UNITS_MS: Final = {"us": 1.0 / MS_PER_S, "ms": 1.0, "s": MS_PER_S, "m": 60.0 * MS_PER_S}
_PER_S: Final = re.compile(r"^Requests/sec: +([\d.]+)$", re.MULTILINE)
_COUNT: Final = re.compile(r"^ +(\d+) requests in ", re.MULTILINE)
_P99: Final = re.compile(r"^ +99% +([\d.]+)(us|ms|s|m)$", re.MULTILINE)
_BAD: Final = re.compile(r"^ +(?:Non-2xx.*|Socket errors:.*)$", re.MULTILINE)


class Load(NamedTuple):
    """What came back in one burst.

    Attributes:
        requests: That were answered.
        per_s: Requests per second.
        p99_ms: 99th percentile of the time to an answer, ms.
    """

    requests: int
    per_s: float
    p99_ms: float


def wrk() -> str:
    """Return the path of the load generator.

    Raises:
        MetaverseError: It is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise MetaverseError("no load generator: install wrk, for example with: apt-get install wrk")
    return found


def burst(url: str, connections: int, seconds: int, zones: int, embedding: int) -> Load:
    """Send reports of zones in turn, as fast as they are answered.

    Args:
        url: Of the endpoint.
        connections: At the same time.
        seconds: How long.
        zones: How many take turns, ``zone-1`` first.
        embedding: Width of the intents.

    Raises:
        MetaverseError: wrk is missing or failed, or an answer was not 2xx.
    """
    with tempfile.TemporaryDirectory(prefix="metaverse-load-") as folder:
        script = Path(folder) / "reports.lua"
        script.write_text(_SCRIPT % (embedding, zones), encoding="utf-8")
        command = [wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode != 0:
        raise MetaverseError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return read_report(done.stdout)


def read_report(text: str) -> Load:
    """Return what wrk says.

    Raises:
        MetaverseError: Some answers were not 2xx, or connections failed, or it says nothing that is known.
    """
    bad, per_s, count, p99 = (pattern.search(text) for pattern in (_BAD, _PER_S, _COUNT, _P99))
    if bad:
        raise MetaverseError(f"a measurement is worthless: {bad[0].strip()}")
    if per_s is None or count is None or p99 is None:
        raise MetaverseError(f"wrk said something else than expected: {text.strip()[:200]!r}")
    return Load(int(count[1]), float(per_s[1]), float(p99[1]) * _UNITS_MS[p99[2]])
