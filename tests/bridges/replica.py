"""A replica as a process: takes part in the election, and while it leads writes its epoch, as fast as it may.

``python replica.py KUBECONFIG NAMESPACE IDENTITY``; a line of JSON for each change of leadership; SIGTERM ends it.
"""

import json
import signal
import sys
import time
from contextlib import suppress

from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.election import Election
from bridges.kubernetes.lease import LeaseSettings
from bridges.kubernetes.resources import CONFIG_MAPS
from metaverse_env.errors import ClusterError


def take_part(kubeconfig: str, namespace: str, identity: str) -> None:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    target = CONFIG_MAPS.at(namespace, "journal")
    settings = LeaseSettings(namespace=namespace, identity=identity, duration_s=2, renew_deadline_s=1.2, retry_s=0.3)
    leading = None
    with ApiClient.from_kubeconfig(kubeconfig) as own, ApiClient.from_kubeconfig(kubeconfig) as client:
        election = Election(own, settings)
        election.start()
        while not stopped:
            if leading != (held := election.held is not None):
                leading = held
                print(json.dumps({"leading": leading, "at_s": time.monotonic()}), flush=True)
            with suppress(ClusterError):
                held = election.check()
                bounded = client.until(held.until_s)
                version = bounded.get(target)["metadata"]["resourceVersion"]
                body = {"metadata": {"resourceVersion": version}, "data": {"epoch": str(held.epoch), "by": identity}}
                election.check()
                bounded.patch(target, body)
            time.sleep(0.02)
        election.stop()


if __name__ == "__main__":
    take_part(*sys.argv[1:])
