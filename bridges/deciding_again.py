"""``metaverse bridge decisions``."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bridges.controller.command import policy_of, training_of
from bridges.decisions import Setup, Who, read_log
from bridges.redeciding import Parting, redecide
from metaverse_env.errors import ConfigurationError, MetaverseError


def bridge_decisions(
    file: Annotated[Path, typer.Argument(help="A log that metaverse bridge run --decisions wrote.")],
    again: Annotated[
        bool, typer.Option(help="Decide again; needs a log with --keep-inputs, from its start on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Show what was decided and why; with --again decide it again, and tell whether the same comes out, byte for byte.

    Exit status 1 if it does not.
    """
    records = read_log(file)
    summary = summary_of(records)
    if not as_json:
        _print(records, summary)
    partings = _partings(records) if again else None
    if partings is not None:
        summary |= {"decided_again": len(records), "different": [parting.cycle for parting in partings]}
    if as_json:
        typer.echo(json.dumps(summary))
    elif partings is not None:
        typer.echo(f"Decided again: {len(records)} cycles, {len(partings)} differ.")
    if partings:
        raise MetaverseError(f"cycle {partings[0].cycle} differs: {_where(partings[0])}")


def summary_of(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return counts of a log: cycles by mode, clamps by rule, receipts by result, failures of the policy."""
    return {
        "cycles": len(records),
        "modes": dict(Counter(one["state"]["mode"] for one in records)),
        "clamps": dict(Counter(clamp[2] for one in records for clamp in one["clamps"])),
        "receipts": dict(Counter(receipt["result"] for one in records for receipt in one["receipts"])),
        "policy_faults": dict(Counter(one["fault"]["code"] for one in records if one["fault"]["code"])),
    }


def _print(records: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
    for one in records:
        said = "; ".join(one["reasons"])
        typer.echo(f"cycle {one['cycle']}: {one['state']['mode']} ({said}), {one['decider']} decides")
        for receipt in one["receipts"]:
            words = f" {receipt['code']}: {receipt['message']}" if receipt["code"] else ""
            typer.echo(f"  {receipt['zone']}: {receipt['asked'].get('reason', '')} {receipt['result']}{words}")
    for name in ("modes", "clamps", "receipts", "policy_faults"):
        typer.echo(f"{name}: {', '.join(f'{count} {what}' for what, count in summary[name].items()) or 'none'}")


def _partings(records: Sequence[Mapping[str, Any]]) -> list[Parting]:
    if not records or "setup" not in records[0]:
        raise ConfigurationError(
            "this log does not begin with how it was made; record with --keep-inputs, from the start"
        )
    first = records[0]
    who = Who(first["policy"]["name"], first["policy"]["weights"], first["heuristic"])
    policy, heuristic = policy_of(who.policy), policy_of(who.heuristic)
    found = redecide(records, policy, heuristic, who, Setup(**first["setup"]), training_of(policy))
    return [parting for _, parting in found if parting is not None]


def _where(parting: Parting) -> str:
    """Return the first field in which two records differ."""
    recorded, again = json.loads(parting.recorded), json.loads(parting.again)
    return next((f"{name} was {recorded[name]!r}, is {again.get(name)!r}"[:400] for name in recorded
                 if recorded[name] != again.get(name)), "its bytes")  # fmt: skip
