"""The command line: light, helpful, and clear about what went wrong."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

import metaverse_env
from benchmarks.scores import CLOCKED
from metaverse_env.cli import COMMANDS, Branch, Leaf, app
from metaverse_env.errors import (
    CheckpointError,
    ConfigurationError,
    LifecycleError,
    MetaverseError,
    MissingDependencyError,
    PolicyError,
    TraceError,
    UnknownNameError,
)
from metaverse_env.panels import Panel, save_panel
from metaverse_env.plugins import resolve
from metaverse_env.recording import load_recording

TINY = ["--dynamics", "physics", "--forecaster", "none", "--seeds", "2", "--ticks", "8"]
ROOT = Path(__file__).parents[1]


def metaverse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="metaverse")


def leaves() -> Iterator[tuple[str, Leaf]]:
    for name, entry in COMMANDS.items():
        if isinstance(entry, Leaf):
            yield name, entry
        else:
            yield from ((f"{name} {child}", leaf) for child, leaf in entry.commands.items())


def test_version() -> None:
    assert metaverse("--version").stdout == f"metaverse {metaverse_env.__version__}\n"


def test_help_names_every_command_in_time_and_without_heavy_modules() -> None:
    script = (
        "import sys\nfrom metaverse_env.cli import main\nsys.argv = ['metaverse', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    start_s = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.perf_counter() - start_s < 5.0  # 0.3 s on a quiet machine
    assert all(name in run.stdout for name in COMMANDS)
    loaded = set(re.findall(r"'(\w+)'", run.stdout.splitlines()[-1]))
    assert not loaded & {"numba", "onnxruntime", "torch", "matplotlib", "pygame", "benchmarks", "agents", "predictors"}


@pytest.mark.parametrize(("name", "leaf"), list(leaves()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_exists_and_helps(name: str, leaf: Leaf) -> None:
    assert callable(resolve("command", name, {name: leaf.target}))
    found = metaverse(*name.split(), "--help")
    assert found.exit_code == 0
    assert "Usage: metaverse" in found.output


def test_groups_show_help_or_do_their_default() -> None:
    assert isinstance(COMMANDS["train"], Branch)
    nothing = metaverse("train")
    assert nothing.exit_code == 2
    assert "predictor" in nothing.output
    assert "throughput" in metaverse("benchmark", "--help").output
    assert "throughput" in metaverse("benchmark", "-h").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["benchmrk"], "Did you mean 'benchmark'"),
        (["benchmark", "--seeds", "0"], "--seeds"),
        (["benchmark", "--ticks", "none"], "--ticks"),
        (["demo", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_2(arguments: list[str], message: str) -> None:
    found = metaverse(*arguments)
    assert found.exit_code == 2
    assert message in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policies", "hold,treshold"], "unknown policy 'treshold'. Did you mean 'threshold'?"),
        (["--scenario", "complx"], "unknown scenario 'complx'. Did you mean 'complex'?"),
        (["--dynamics", "phsics"], "unknown dynamics 'phsics'. Did you mean 'physics'?"),
    ],
)
def test_a_name_that_does_not_exist_is_wrong_usage(arguments: list[str], message: str, tmp_path: Path) -> None:
    found = metaverse("benchmark", *TINY, "--out", tmp_path, *arguments)
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stdout == ""


WRONG = {
    "--scenario": ("complx", "complex.xml"),
    "--dynamics": ("phsics",),
    "--forecaster": ("persistance",),
    "--scaling": ("diagonal",),
    "--policies": ("treshold", "hold,hold", "no_such_module:Policy"),
    "--trace": ("nowhere.csv", "nowhere.npz", "file"),
    "--mean-users": ("-1", "many"),
    "--seeds": ("0", "100000000"),
    "--seed": ("-1",),
    "--ticks": ("0",),
    "--out": ("file/below",),
    "--kind": ("neither",),
    "--epochs": ("0",),
    "--minutes": ("0",),
    "--trials": ("0",),
    "--violated-percent": ("-1", "101"),
    "--worlds": ("0",),
    "--threads": ("0",),
    "--jobs": ("0",),
    "--wrap": ("nothing", "no_such_module:It", "math:pi"),
    "--reference": ("treshold",),
    "--decision-limit-s": ("0",),
}
"""Options that several commands share or that name something, and values that they cannot have."""


def options_of(name: str, leaf: Leaf) -> set[str]:
    application = typer.Typer()
    application.command()(resolve("command", name, {name: leaf.target}))
    return {option for parameter in typer.main.get_command(application).params for option in parameter.opts}


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        (name, option, value)
        for name, leaf in leaves()
        for option in sorted(options_of(name, leaf) & set(WRONG))
        for value in WRONG[option]
    ],
)
def test_what_cannot_be_asked_for_is_2_in_every_command(
    name: str, option: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    found = metaverse(*name.split(), option, value)
    assert found.exit_code == 2, found.output
    assert found.stderr
    assert found.stdout == ""
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("arguments", [["--out", "file/below"], ["--out", "new", "--trace", "nowhere.csv"]])
def test_an_error_is_one_line(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    found = metaverse("benchmark", "--seeds", "1", *arguments)
    assert found.exit_code == 2
    assert found.stderr.startswith("metaverse: ")
    assert len(found.stderr.splitlines()) == 1


def test_nothing_to_resume_is_wrong_usage(tmp_path: Path) -> None:
    found = metaverse("train", "predictor", "--resume", "--out", tmp_path)
    assert found.exit_code == 2
    assert "nothing to resume" in found.stderr


@pytest.mark.parametrize("name", [name for name, _ in leaves()])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 0),
        (ConfigurationError("a value"), 2),
        (UnknownNameError("policy", "x", ["hold"]), 2),
        (TraceError("a file"), 2),
        (CheckpointError("weights"), 2),
        (PolicyError("it raised"), 1),
        (LifecycleError("too late"), 1),
        (MissingDependencyError("it", "torch", "predictors"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_one_rule_says_the_status_of_every_command(
    name: str, error: BaseException | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr("metaverse_env.cli.resolve", lambda *_: end)
    found = metaverse(*name.split())
    assert found.exit_code == status
    if isinstance(error, MetaverseError):
        assert found.stderr == f"metaverse: {error}\n"


def test_a_policy_that_fails_while_it_runs_is_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("failing.py").write_text(
        "from metaverse_env import Command\n\n\n"
        "class It:\n    def reset(self, zones, worlds): ...\n\n    def act(self, view):\n        return 1 / 0\n\n\n"
        "class Nan(It):\n    def act(self, view):\n        return Command.of(float('nan') * view.pending.allocation)\n",
        encoding="utf-8",
    )
    found = metaverse("benchmark", *TINY, "--policies", "failing:It")
    assert found.exit_code == 1
    assert "policy 'failing:It' in multi_zone-physics, seeds 0 to 1: It.act failed at tick 0" in found.stderr
    found = metaverse("benchmark", *TINY, "--policies", "failing:Nan")
    assert found.exit_code == 1
    assert "the command of Nan.act at tick 0: zone 'zone-1' (world 0): cpu_cores = nan cores" in found.stderr


def test_a_policy_that_knows_the_future_knows_none_of_a_wrapped_world(tmp_path: Path) -> None:
    found = metaverse(
        "benchmark", *TINY, "--policies", "oracle", "--wrap", "metaverse_env:WorldWrapper", "--out", tmp_path
    )
    assert found.exit_code == 2
    assert "a clairvoyant policy needs a simulated world, not a WorldWrapper" in found.stderr


def test_a_comparison_in_wrapped_worlds_is_another_comparison(tmp_path: Path) -> None:
    arguments = (*TINY, "--policies", "hold", "--no-codec", "--out", tmp_path)
    wrapped = metaverse("benchmark", *arguments, "--wrap", "metaverse_env:WorldWrapper", "--json")
    assert json.loads(wrapped.stdout)["wrapper"] == "metaverse_env:WorldWrapper"
    plain = metaverse("benchmark", *arguments, "--resume")
    assert plain.exit_code == 2
    assert "wrapper is metaverse_env:WorldWrapper, and now it is None" in plain.stderr


def without_package(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where a package is not installed."""
    script = f"import sys\nsys.modules[{package!r}] = None\nfrom metaverse_env.cli import app\napp({list(arguments)!r})"
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_training_helps_without_torch_and_says_what_it_needs(tmp_path: Path) -> None:
    helped = without_package("torch", "train", "predictor", "--help")
    assert (helped.returncode, "--epochs" in helped.stdout) == (0, True), helped.stderr
    asked = without_package("torch", "train", "predictor", "--out", str(tmp_path))
    assert asked.returncode == 1
    assert asked.stderr == (
        "metaverse: command 'train predictor' needs torch, which is not installed. "
        "Run: pip install 'metaverse-env[predictors]'\n"
    )


def test_a_command_of_a_group_is_named_with_its_group() -> None:
    asked = without_package("soundfile", "benchmark", "encoders")
    assert asked.returncode == 1
    assert asked.stderr.startswith("metaverse: command 'benchmark encoders' needs soundfile, which is not installed. ")


def test_benchmark_writes_what_it_says(tmp_path: Path) -> None:
    found = metaverse("benchmark", *TINY, "--policies", "hold,threshold", "--out", tmp_path)
    assert found.exit_code == 0, found.output
    assert "threshold" in found.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["costs.png", "results.csv", "summary.json"]


def test_what_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    for command in (("benchmark", "run"), ("demo",), ("benchmark", "suite")):
        found = metaverse(*command, "--scenario", "nowhere", "--out", tmp_path / "out")
        assert found.exit_code == 2, found.output
        assert not (tmp_path / "out").exists()


def test_the_codec_runs_by_default_for_the_default_policies_alone(tmp_path: Path) -> None:
    def policies(*words: str) -> list[str]:
        found = metaverse("benchmark", "run", *TINY, *words, "--out", tmp_path, "--json")
        return list(json.loads(found.stdout)["policies"])

    assert policies()[-1].endswith("+codec")
    assert policies("--policies", "hold") == ["hold"]
    assert policies("--policies", "hold", "--codec") == ["hold", "hold+codec"]


def test_benchmark_run_as_json_is_json_and_nothing_else(tmp_path: Path) -> None:
    found = metaverse("benchmark", "run", *TINY, "--policies", "static", "--no-codec", "--out", tmp_path, "--json")
    summary = json.loads(found.stdout)
    assert list(summary["policies"]) == ["static"]
    assert summary == json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))


def test_an_unfinished_benchmark_goes_on(tmp_path: Path) -> None:
    once = metaverse("benchmark", *TINY, "--policies", "hold", "--no-codec", "--out", tmp_path)
    assert once.exit_code == 0, once.output
    arguments = ("--policies", "hold,static", "--no-codec", "--out", tmp_path, "--resume", "--json")
    again = metaverse("benchmark", *TINY, *arguments)
    assert list(json.loads(again.stdout)["policies"]) == ["hold", "static"]
    other = metaverse("benchmark", *TINY, "--ticks", "9", *arguments)
    assert (other.exit_code, "cannot resume in" in other.stderr) == (2, True)


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    once, again, other = (
        {
            policy: {name: found for name, found in figures.items() if name not in CLOCKED}
            for policy, figures in json.loads(
                metaverse("benchmark", *TINY, "--seed", seed, "--out", tmp_path, "--json").stdout
            )["policies"].items()
        }
        for seed in ("3", "3", "4")
    )
    assert once == again
    assert once != other


def test_a_policy_of_the_users_beside_which_they_stand(tmp_path: Path) -> None:
    (tmp_path / "my_policy.py").write_text(
        "from metaverse_env.telemetry import Command\n\n\nclass Mine:\n    def reset(self, zones, worlds):\n        pass\n\n"
        "    def act(self, view):\n        return Command.of(view.pending.allocation)\n",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "metaverse_env.cli",
        "benchmark",
        *TINY,
        "--policies",
        "my_policy:Mine,hold",
        "--json",
    ]
    run = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["policies"]
    assert found["my_policy:Mine"]["reward"] == found["hold"]["reward"]
    assert (tmp_path / "out" / "benchmark" / "results.csv").is_file()


def test_demo_shows_records_and_lives_again(tmp_path: Path) -> None:
    found = metaverse("demo", *TINY, "--no-picture", "--out", tmp_path)
    assert found.exit_code == 0, found.output
    assert "every number is the same" in found.stdout
    assert {"hold", "random", "static", "threshold"} <= set(found.stdout.split())
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"costs.png", "results.csv", "summary.json", "episode.npz"}
    assert load_recording(tmp_path / "episode.npz").ticks == 8


def test_demo_films_the_episode(tmp_path: Path) -> None:
    found = metaverse("demo", *TINY[:-1], "3", "--policies", "threshold", "--out", tmp_path)
    assert found.exit_code == 0, found.output
    with Image.open(tmp_path / "episode.gif") as film:
        assert (film.n_frames, film.size) == (3, (1280, 720))  # type: ignore[attr-defined]


def test_demo_without_the_drawing_package_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise MissingDependencyError("a film", "pygame", "render")

    monkeypatch.setattr("metaverse_env.rendering.record_episode_gif", refuse, raising=False)
    found = metaverse("demo", *TINY, "--out", tmp_path)
    assert found.exit_code == 0, found.output
    assert "pip install 'metaverse-env[render]'" in found.stdout


@pytest.mark.parametrize(
    ("trace", "zones", "words"),
    [
        ("game_concurrency/tf2_servertype_1h.csv.gz", 3, "in 3 zones (valve, comm, comp)"),
        ("worldcup98/requests_per_min.csv.gz", 1, "requests/min (proxy for users)"),
    ],
)
def test_demo_of_real_traces_reports_gaps_and_scale(
    trace: str, zones: int, words: str, assets: Path, tmp_path: Path
) -> None:
    arguments = ["--forecaster", "none", "--seeds", "2", "--no-picture", "--json"]
    found = metaverse("demo", *arguments, "--trace", assets / "traces" / trace, "--out", tmp_path)
    assert found.exit_code == 0, found.output
    said = " ".join(found.stderr.split())
    assert words in said
    assert re.search(r"No gaps|Gaps: \d+", said)
    assert "a mean of 60 users per zone" in said
    assert json.loads(found.stdout)["trace"]["scale"] > 0.0
    recording = load_recording(tmp_path / "episode.npz")
    assert len(recording.zone_names) == zones
    assert recording.ticks == 240


def test_demo_of_a_panel_of_telemetry_says_what_is_replayed(tmp_path: Path) -> None:
    features = ("users", "cpu_cores", "latency_ms")
    values = np.random.default_rng(0).uniform(1.0, 3.0, (30, 2, 3)).astype(np.float32)
    save_panel(tmp_path / "panel.npz", Panel(values, features, ("lobby", "arena")))
    arguments = ["--forecaster", "none", "--seeds", "2", "--ticks", "20", "--no-picture", "--json"]
    found = metaverse("demo", *arguments, "--trace", tmp_path / "panel.npz", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    said = " ".join(found.stderr.split())
    assert "30 samples of users, cpu_cores in 2 zones (lobby, arena)" in said
    assert "The panel lacks memory_mb and bandwidth_mbps" in said
    assert "held for the allocation of its time: not replayed" in said
    assert "every number is the same" in said
    assert json.loads(found.stdout)["trace"] == {"source": str(tmp_path / "panel.npz"), "scale": 1.0}
    demand = load_recording(tmp_path / "out" / "episode.npz").outcomes["demand"][:, 0, :, 0]
    assert set(demand.ravel().tolist()) <= set(values[..., 1].ravel().tolist())
