"""Dashboards and rules as texts: they ask only for what there is, and Grafana finds them."""

import json

import yaml

from bridges.manifests.dashboards import DECISIONS_UID, FORECAST_UID, dashboards
from bridges.manifests.panels import SOURCE
from bridges.manifests.rules import RECORDED, groups
from bridges.metric_names import catalogue
from tests.bridges.installation import FILES, named, pods
from tests.bridges.promql import expressions, names_in


def test_dashboards_ask_only_for_what_there_is() -> None:
    known = {*catalogue(), *RECORDED}
    for name, board in dashboards().items():
        assert json.loads(FILES[f"dashboards/{name}"]) == board
        for expression in expressions(board):
            assert names_in(expression) <= known, expression
        assert {target["datasource"]["uid"] for panel in board["panels"] for target in panel["targets"]} == {SOURCE}
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in board["panels"])
        assert all(target["legendFormat"] for panel in board["panels"] for target in panel["targets"])
        assert [variable["name"] for variable in board["templating"]["list"]] == ["zone"]
    assert [board["uid"] for board in dashboards().values()] == [FORECAST_UID, DECISIONS_UID]


def test_panels_do_not_lie_on_each_other() -> None:
    for board in dashboards().values():
        places = [panel["gridPos"] for panel in board["panels"]]
        cells = [
            (x, y)
            for place in places
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(set(cells)) == len(cells)
        assert max(x for x, _ in cells) < 24


def test_rules_ask_only_for_what_there_is() -> None:
    known = {*catalogue(), *RECORDED}
    for group in groups(15.0)["groups"]:
        for rule in group["rules"]:
            assert names_in(rule["expr"]) <= known, rule
            assert rule.get("record", RECORDED[0]) in RECORDED


def test_grafana_finds_its_source_and_its_boards() -> None:
    provisioned = next(d for d in named("ConfigMap") if d["metadata"]["name"] == "grafana-provisioning")["data"]
    (source,) = yaml.safe_load(provisioned["datasources.yaml"])["datasources"]
    assert (source["uid"], source["url"]) == (SOURCE, "http://prometheus.metaverse.svc:9090")
    (provider,) = yaml.safe_load(provisioned["dashboards.yaml"])["providers"]
    grafana = dict(pods())["grafana"]
    mounts = {mount["mountPath"]: mount["name"] for mount in grafana["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in grafana["volumes"]}
    assert volumes[mounts[provider["options"]["path"]]]["configMap"]["name"] == "grafana-dashboards"
    items = volumes[mounts["/etc/grafana/provisioning"]]["configMap"]["items"]
    assert {item["key"] for item in items} == set(provisioned)
