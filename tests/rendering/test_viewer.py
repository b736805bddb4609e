"""Pixels: arrays without a display, a window that may be closed, and texts that are as wide as scenes say."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pygame
import pytest
from gymnasium.utils.env_checker import check_env

import metaverse_env  # noqa: F401 (registers the ids)
from metaverse_env.envs.parallel import MetaverseParallelEnv, parallel_env
from metaverse_env.envs.shell import Shell, Step
from metaverse_env.envs.single import MetaverseEnv
from metaverse_env.errors import MetaverseError, MissingDependencyError, UnknownNameError
from metaverse_env.rendering import open_viewer, viewer
from metaverse_env.rendering.colours import COLOURS
from metaverse_env.rendering.header import doing
from metaverse_env.rendering.layout import arrange
from metaverse_env.rendering.reading import read_shell
from metaverse_env.rendering.scene import build_scene
from metaverse_env.rendering.shapes import Rectangle, Scene
from metaverse_env.rendering.snapshot import Trail
from metaverse_env.rendering.viewer import Viewer
from metaverse_env.scenario import load_scenario
from metaverse_env.scenario.root import LayoutSpec
from metaverse_env.telemetry import Command

LIGHT = {"dynamics": "physics", "forecaster": "persistence"}


def shell_of(zones: int = 3, scenario: str = "complex", seed: int = 0) -> Shell:
    shell = Shell(load_scenario(scenario).with_changes(layout=LayoutSpec(zones=zones)), **LIGHT)
    shell.reset([seed])
    return shell


def hold(shell: Shell) -> Step:
    return shell.command(shell.view.pending)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let windows open in memory, and close them afterwards."""
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


# --- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1000, 800)])
def test_a_picture_is_height_by_width_by_three(size: tuple[int, int]) -> None:
    picture = Viewer(size=size).show(shell_of(), None)
    assert picture is not None
    assert (picture.shape, picture.dtype) == ((size[1], size[0], 3), np.uint8)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_a_picture_shows_the_latency_in_the_colour_of_its_severity() -> None:
    shell, shown = shell_of(1), Viewer()
    step = hold(shell)
    picture = shown.show(shell, step)
    assert picture is not None
    pill = next(
        shape
        for shape in build_scene(read_shell(shell, step, Trail()), arrange(shell.world.zones)).shapes
        if isinstance(shape, Rectangle) and shape.corner > 20.0 and shape.fill in ("fine", "near", "over", "down")
    )
    # left of the number, on the pill
    assert tuple(picture[round(pill.y + pill.height / 2), round(pill.x + 12)]) == COLOURS[pill.fill]


def test_pictures_are_not_overwritten_by_later_ones() -> None:
    shell, shown = shell_of(), Viewer()
    first = shown.show(shell, None)
    assert first is not None
    kept = first.copy()
    shown.show(shell, hold(shell))
    assert (first == kept).all()


def test_the_same_seed_gives_the_same_pictures() -> None:
    def film() -> list[bytes]:
        shell, shown = shell_of(seed=5), Viewer()
        return [shown.show(shell, hold(shell)).tobytes() for _ in range(3)]  # type: ignore[union-attr]

    assert film() == film()


def test_the_trail_grows_by_a_tick_once_and_starts_anew_with_an_episode() -> None:
    shell, shown = shell_of(), Viewer()
    shown.show(shell, None)
    for _ in range(3):
        step = hold(shell)
        shown.show(shell, step)
    shown.show(shell, step)
    assert len(shown._trail.rewards) == 3
    shell.reset([1])
    shown.show(shell, hold(shell))  # the reset itself was not shown
    assert len(shown._trail.rewards) == 1
    shown.show(shell, None)
    assert shown._trail.rewards == ()


@pytest.mark.parametrize("make", [MetaverseEnv, MetaverseParallelEnv])
def test_a_picture_after_many_ticks_has_all_of_them(make: Any) -> None:
    arguments = {"dynamics": "physics", "forecaster": "none", "action_type": "continuous"}
    env = make("single_zone", render_mode="rgb_array", **arguments)
    rewards = []
    for ticks in (0, 3, 1, 0):
        if ticks == 3:
            env.reset(seed=0)
        for _ in range(ticks):
            agents = make is MetaverseParallelEnv
            rewards.append(env.step({"zone-1": np.zeros(3, np.float32)} if agents else np.zeros(3, np.float32))[1])
        if env.shell.started:
            env.render()
    expected = [next(iter(one.values())) if isinstance(one, dict) else one for one in rewards]
    assert env._viewer._trail.rewards == pytest.approx(expected)
    env.reset(seed=1)
    env.render()
    assert env._viewer._trail.rewards == ()


def test_a_picture_without_forecasts_says_what_the_controller_did() -> None:
    env = MetaverseEnv("single_zone", "rgb_array", dynamics="physics", forecaster="none", action_type="continuous")
    env.reset(seed=0)
    last = [env.step(np.ones(3, np.float32)) for _ in range(3)] and env._last
    assert doing(read_shell(env.shell, last, Trail())).startswith("Controller: more for zone-1 (CPU +")


def test_a_trace_is_not_said_to_be_simulated(tmp_path: Path) -> None:
    rows = "\n".join(f"{60 * row},{20 + row % 5}" for row in range(40))
    (tmp_path / "users.csv").write_text(f"time,lobby\n{rows}\n")
    shell = Shell("single_zone", 1, "trace", "none", trace=str(tmp_path / "users.csv"), episode_ticks=10)
    shell.reset([0])
    assert read_shell(shell, None, Trail()).kind == "users of a trace, dynamics: physics, forecast: none"


@cache
def troubled(zones: int) -> tuple[Shell, Step]:
    """Return a world in which many things happen, after twenty ticks of clumsy control."""
    shell, random = shell_of(zones, seed=3), np.random.default_rng(0)
    for _ in range(20):
        allocation = shell.view.pending.allocation * random.choice([0.5, 1.0, 1.6], (1, zones, 3))
        step = shell.command(Command.of(np.clip(allocation, *shell.view.limits), random.choice([0.0, 0.25], zones)))
    return shell, step


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("zones", [1, 3, 30, 300])
def test_real_worlds_have_no_text_over_another(
    zones: int, size: tuple[int, int], refuse_collisions: Callable[[Scene], None]
) -> None:
    shell, step = troubled(zones)
    refuse_collisions(build_scene(read_shell(shell, step, Trail()), arrange(shell.world.zones, size)))


# --- a window ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_display")
def test_a_window_shows_and_returns_nothing() -> None:
    shell, shown = shell_of(), Viewer("human", fps=1000)
    assert shown.show(shell, None) is None
    assert pygame.display.get_surface().get_size() == (1280, 720)
    assert pygame.display.get_caption()[0] == "Metaverse zones"
    shown.close()
    shown.close()
    assert not pygame.display.get_init()


@pytest.mark.usefixtures("no_display")
def test_a_user_may_close_the_window_and_the_episode_goes_on() -> None:
    env = gym.make("Metaverse/SingleZone-v0", render_mode="human", **LIGHT)
    env.reset(seed=0)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    env.step(0)
    assert not pygame.display.get_init()
    env.step(0)
    env.close()


def test_where_no_window_can_open_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "there-is-none")
    with pytest.raises(MetaverseError, match=r"no window of 1280 x 720 px .* render_mode='rgb_array'"):
        Viewer("human").show(shell_of(), None)


def test_without_a_display_the_window_is_in_memory_and_sdl_complains_of_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pygame.display.quit()
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(viewer.sys, "platform", "linux")
    shown = Viewer("human", fps=1000)
    shown.show(shell_of(), None)
    assert pygame.display.get_driver() == "dummy"
    shown.close()
    assert capfd.readouterr() == ("", "")
    assert [record.message for record in caplog.records] == [
        "no display (DISPLAY and WAYLAND_DISPLAY are not set), so that nobody sees the window; use "
        "render_mode='rgb_array', or set SDL_VIDEODRIVER"
    ]
    assert "SDL_VIDEODRIVER" not in os.environ


def test_arrays_need_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "there-is-none")
    assert Viewer().show(shell_of(), None) is not None
    assert not pygame.display.get_init()


# --- the door ---------------------------------------------------------------------------------------------------------


def test_another_mode_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="render mode 'ansi'"):
        open_viewer("ansi", 20)
    with pytest.raises(UnknownNameError, match="render mode 'ansi'"):
        Viewer("ansi")  # type: ignore[arg-type]


def test_without_pygame_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.delitem(sys.modules, "metaverse_env.rendering.viewer")
    with pytest.raises(MissingDependencyError, match=r"needs pygame.*metaverse-env\[render\]"):
        open_viewer("rgb_array", 20)


def test_importing_loads_no_drawing_library() -> None:
    code = (
        "import sys, metaverse_env.rendering; print(sorted({'pygame', 'PIL', 'imageio_ffmpeg'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_the_library_does_not_greet() -> None:
    code = "from metaverse_env.rendering import open_viewer; open_viewer('rgb_array', 20)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == ""


# --- the environments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SingleZone", "MultiZone", "Complex"])
def test_environments_render_arrays(name: str) -> None:
    env = gym.make(f"Metaverse/{name}-v0", render_mode="rgb_array", **LIGHT)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    picture = env.render()
    assert isinstance(picture, np.ndarray)
    assert (picture.shape, picture.dtype) == ((720, 1280, 3), np.uint8)
    env.close()


def test_the_team_environment_renders_too() -> None:
    env = parallel_env(render_mode="rgb_array", **LIGHT)
    env.reset(seed=0)
    assert env.render().shape == (720, 1280, 3)
    env.close()


@pytest.mark.usefixtures("no_display")
def test_gymnasium_accepts_an_environment_that_renders() -> None:
    env = gym.make("Metaverse/SingleZone-v0", render_mode="rgb_array", disable_env_checker=True, **LIGHT)
    check_env(env.unwrapped, skip_render_check=False)
    env.close()


def test_gymnasium_collects_pictures() -> None:
    env = gym.wrappers.RenderCollection(gym.make("Metaverse/SingleZone-v0", render_mode="rgb_array", **LIGHT))
    env.reset(seed=0)
    env.step(0)
    assert [picture.shape for picture in env.render()] == [(720, 1280, 3)] * 2
    env.close()
