"""Gymnasium's own wrapper makes videos of every environment."""

from pathlib import Path

import gymnasium as gym
import imageio_ffmpeg
import pytest

import metaverse_env  # noqa: F401 (registers the ids)

LIGHT = {"dynamics": "physics", "forecaster": "none"}


@pytest.mark.parametrize("name", ["SingleZone", "MultiZone"])
def test_record_video_films_an_episode(tmp_path: Path, name: str) -> None:
    env = gym.make(f"Metaverse/{name}-v0", render_mode="rgb_array", **LIGHT)
    with gym.wrappers.RecordVideo(
        env, str(tmp_path / "videos"), episode_trigger=lambda _: True, disable_logger=True
    ) as filmed:
        for seed in (0, 1):
            filmed.reset(seed=seed)
            for _ in range(6):
                filmed.step(filmed.action_space.sample())
    films = sorted((tmp_path / "videos").glob("*.mp4"))
    assert [film.name for film in films] == ["rl-video-episode-0.mp4", "rl-video-episode-1.mp4"]
    for film in films:
        assert imageio_ffmpeg.count_frames_and_secs(str(film))[0] == 7
