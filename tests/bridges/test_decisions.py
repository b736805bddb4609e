"""Records of decisions: complete, without anything that depends on the machine, and decided again byte for byte."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridges.decisions import DecisionLog, Setup, Who, line_of, read_log, record_of
from bridges.errors import UnavailableError
from bridges.recorded_inputs import snapshot_from
from bridges.redeciding import redecide
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Command
from tests.bridges.controlling import Noted, Rig, Scripted, policy_named

WHO = Who("threshold", "", "hpa")


def setup_of(rig: Rig) -> Setup:
    return Setup(json.loads(rig.settings.model_dump_json()), None, 15.0, "none", None)


def lived(cycles: int = 20, given: bool = True) -> tuple[Rig, list[dict[str, Any]]]:
    rig = Rig(policy_named("threshold"), heuristic=policy_named("hpa"), cluster=Noted("multi_zone", seed=5))
    records = []
    for number in range(cycles):
        if number == 8:
            rig.cluster.faults.reading = UnavailableError("away")
        if number == 9:
            rig.cluster.faults.reading = None
            rig.cluster.faults.silent.add("zone-3")
        if number == 12:
            rig.switch.pause("by hand")
        if number == 14:
            rig.switch.resume()
        records.append(record_of(rig.controller.cycle(), WHO, given))
    return rig, records


def test_t75_the_same_world_gives_the_same_bytes() -> None:
    one, other = ([line_of(record) for record in lived(12, given=False)[1]] for _ in range(2))
    assert one == other


def test_t75_records_are_decided_again_byte_for_byte(tmp_path: Path) -> None:
    rig, records = lived()
    with DecisionLog(tmp_path / "log.jsonl") as log:
        for record in records:
            log.append(record)
    again = read_log(tmp_path / "log.jsonl")
    assert {record["state"]["mode"] for record in again} == {"shadow", "active", "hold", "paused"}
    assert any(receipt["result"] == "written" for record in again for receipt in record["receipts"])
    partings = [
        parting for _, parting in redecide(again, policy_named("threshold"), policy_named("hpa"), WHO, setup_of(rig))
    ]
    assert partings == [None] * len(records)


def test_t75_another_policy_parts_where_it_decides_otherwise() -> None:
    rig, records = lived(6)
    found = redecide(records, Scripted(2.0), policy_named("hpa"), WHO, setup_of(rig))
    assert [parting is None for _, parting in found][1] is False


def test_a_record_says_who_what_and_why() -> None:
    rig = Rig(Scripted(lambda view: Command.of(view.pending.allocation * np.array([11.0, 1.0, 1.0], dtype=np.float32))))
    decisions = rig.run(2)
    record = json.loads(line_of(record_of(decisions[1], Who("mine", "ab" * 32, "hpa"))))
    assert record["policy"] == {"name": "mine", "weights": "ab" * 32}
    assert record["state"]["mode"] == "active"
    assert record["proposal"]["zone-1"]["cpu_cores"] > 0
    assert ["zone-1", "cpu_cores", "rate"] in [clamp[:3] for clamp in record["clamps"]]
    assert record["receipts"][0]["result"] == "written"
    assert record["goals"]["zone-1"].keys() == {"cpu_cores"}
    assert len(record["inputs"]) == 64
    assert "given" not in record


def test_a_snapshot_survives_its_record() -> None:
    _, records = lived(3)
    told = json.loads(line_of(records[2]))["given"]["snapshot"]
    assert line_of({"": snapshot_from(told)}) == line_of({"": told})


def test_a_log_that_was_cut_off_is_read_up_to_there_and_another_file_is_refused(tmp_path: Path) -> None:
    _, records = lived(3, given=False)
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(line_of(record) for record in records)[:-40])
    assert [record["cycle"] for record in read_log(path)] == [1, 2]
    path.write_text('{"other": 1}\n')
    with pytest.raises(ConfigurationError, match="no record of format"):
        read_log(path)
    with pytest.raises(ConfigurationError, match="keep-inputs"):
        list(redecide(records, Scripted(), Scripted(), WHO, setup_of(Rig())))
