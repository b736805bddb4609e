"""What promtool says of the rules and the configuration."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.absent import unavailable
from tests.bridges.installation import FILES


def promtool(*arguments: str | Path) -> str:
    if shutil.which("promtool") is None:
        unavailable("no program promtool; Debian's package is called prometheus")
    run = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    config = yaml.safe_load(FILES["prometheus-configmap.yaml"])
    (tmp_path / "rules.yml").write_text(config["data"]["rules.yml"], encoding="utf-8")
    return tmp_path / "rules.yml"


def test_promtool_takes_the_rules(rules_file: Path) -> None:
    assert "SUCCESS: 21 rules found" in promtool("check", "rules", rules_file)


def test_promtool_takes_the_configuration(rules_file: Path) -> None:
    """Debian's Prometheus has no discovery of Kubernetes in it: fixed targets stand in its place, all else stays."""
    text = yaml.safe_load(FILES["prometheus-configmap.yaml"])["data"]["prometheus.yml"]
    config = yaml.safe_load(text.replace("/etc/prometheus/rules.yml", str(rules_file)))
    for job in config["scrape_configs"]:
        (found,) = job.pop("kubernetes_sd_configs")
        assert found in ({"role": "node"}, {"role": "pod", "namespaces": {"names": ["metaverse"]}})
        job["static_configs"] = [{"targets": ["127.0.0.1:1"]}]
        job.get("authorization", {}).pop("credentials_file", None)
    path = rules_file.with_name("prometheus.yml")
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert "SUCCESS" in promtool("check", "config", path)


ALERTS = [
    ("up{job='controller'}: 0x20", "3m", "ControllerDown", "job=controller", "The controller is away: zones keep what they have."),
    ("up{job='controller'}: 1x20", "10m", "ControllerDown", None, ""),
    ("metaverse_bridge_ready: 0x20", "6m", "ControllerNotReady", "",
     "The controller is not ready: a permission may be missing. Its log names it."),
    ("metaverse_bridge_ready: 1x20", "6m", "ControllerNotReady", None, ""),
    ("metaverse_bridge_last_cycle_timestamp_seconds: 0x20", "3m", "CyclesStopped", "",
     "The controller has not finished a cycle for 3m 0s."),
    ("metaverse_bridge_last_cycle_timestamp_seconds: 0+60x20", "10m", "CyclesStopped", None, ""),
    ("metaverse_bridge_mode{mode='fallback'}: 1x9", "6m", "Fallback", "",
     "The policy was found wanting; the heuristic decides."),
    ("metaverse_bridge_mode{mode='hold'}: 1x9", "4m", "Holding", None, ""),
    ("metaverse_bridge_leader{pod='a'}: 1x9; metaverse_bridge_leader{pod='b'}: 1x9", "3m", "TwoLeaders", "",
     "More than one controller leads."),
    ("metaverse_bridge_leader{pod='a'}: 1x9; metaverse_bridge_leader{pod='b'}: 0x9", "3m", "TwoLeaders", None, ""),
    ("metaverse_bridge_leader: 0x9; metaverse_bridge_mode{mode='active'}: 1x9", "4m", "NoLeader", "",
     "No controller leads."),
    ("metaverse_bridge_leader: 0x9; metaverse_bridge_mode{mode='shadow'}: 1x9", "4m", "NoLeader", None, ""),
    ("metaverse_bridge_metrics_age_seconds{zone='a',field='users'}: 90x9", "4m", "TelemetryOld", "zone=a",
     "What is known of a is 1m 30s old."),
    ("metaverse_bridge_source_up{source='kubelet'}: 0x9", "4m", "SourceDown", "source=kubelet",
     "The source kubelet of telemetry does not answer."),
    ("stgnn_last_update_timestamp_seconds{zone='a'}: 0x9; stgnn_last_update_timestamp_seconds{zone='b'}: 0+60x9", "4m",
     "ForecastOld", "zone=a", "The forecast of a is 4m 0s old."),
    ("metaverse_bridge_decisions_total{outcome='refused',reason='Quota',zone='a'}: 0+2x20", "15m", "WritesRefused",
     "reason=Quota", "Changes are not written: Quota."),
    ("metaverse_bridge_requests_total{zone='a'}: 0+100x90; metaverse_bridge_violated_requests_total{zone='a'}: 0+20x90; "
     "metaverse_bridge_requests_total{zone='b'}: 0+100x90; metaverse_bridge_violated_requests_total{zone='b'}: 0+1x90",
     "80m", "ErrorBudgetBurnsFast", "zone=a", "a: 20% of an hour's requests were above the objective."),
]  # fmt: skip
"""Series by minute, when, the alert, the labels that it has besides its own (``None`` where it stays quiet), its words."""


def test_alerts_fire_when_they_should_and_not_before(rules_file: Path) -> None:
    rules = [rule for group in yaml.safe_load(rules_file.read_text())["groups"] for rule in group["rules"]]
    own = {rule["alert"]: rule["labels"] for rule in rules if "alert" in rule}
    tests = []
    for series, at, name, labels, summary in ALERTS:
        alert = f"Metaverse{name}"
        besides = dict(word.split("=") for word in (labels or "").split())
        fired = [{"exp_labels": own[alert] | besides, "exp_annotations": {"summary": summary}}]
        check = {"eval_time": at, "alertname": alert, "exp_alerts": [] if labels is None else fired}
        given = [dict(zip(("series", "values"), one.split(": "), strict=True)) for one in series.split("; ")]
        tests.append({"interval": "1m", "input_series": given, "alert_rule_test": [check]})
    path = rules_file.with_name("tests.yml")
    path.write_text(yaml.safe_dump({"rule_files": [str(rules_file)], "tests": tests}), encoding="utf-8")
    promtool("test", "rules", path)
