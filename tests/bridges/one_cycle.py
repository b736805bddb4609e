"""One cycle in a process of its own, which says what it took: read all, change some, read again, verify.

Arguments: kubeconfig, namespace, how many to change, whom fields may be taken from. Prints one object of JSON.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from bridges.contracts import Amounts, Change
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.cluster import KubernetesCluster
from bridges.kubernetes.settings import ClusterSettings


def cycle(kubeconfig: str, namespace: str, changed: int, owner: str) -> dict[str, object]:
    settings = ClusterSettings(
        namespace=namespace,
        selector="team=zones",
        allow_rollout=True,
        conflict="force",
        force_from=(owner,),
        read_nodes=False,
    )
    with ApiClient.from_kubeconfig(kubeconfig) as client:
        client.features()
        cluster, began_s, cpu_s, sent = (
            KubernetesCluster(client, settings),
            time.monotonic(),
            time.process_time(),
            client.traffic.requests,
        )
        snapshot = cluster.read()
        changes = [Change(workload.zone, Amounts(0.2, None)) for workload in snapshot.workloads[:changed]]
        receipts = cluster.write(changes, snapshot)
        verified = cluster.read()
        told = cluster.verify(verified)
        return {
            "wall_s": time.monotonic() - began_s,
            "cpu_s": time.process_time() - cpu_s,
            "requests": client.traffic.requests - sent,
            "zones": len(snapshot.workloads),
            "results": Counter(receipt.result for receipt in receipts),
            "cores": Counter(str(workload.requests.cpu_cores) for workload in verified.workloads),
            "told": len(told),
            "peak_mb": peak_mb(),
        }


def peak_mb() -> float:
    """Return this process's peak; what ``getrusage`` says is at least its parent's, from before the exec."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(cycle(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])))
