"""Everything that the command line can do, as names: each is imported from its own storey when it is called."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Leaf(NamedTuple):
    """A command: where its function is, what it does, and which extra brings what it imports."""

    target: str
    help: str
    extra: str = "all"


class Branch(NamedTuple):
    """A group of commands; ``default`` is what it does when no command is named."""

    help: str
    commands: Mapping[str, Leaf]
    default: str | None = None


COMMANDS: Final[dict[str, Leaf | Branch]] = {
    "bridge": Branch(
        "The same environment on a Kubernetes cluster.",
        {
            "run": Leaf(
                "bridges.controller.command:bridge_run",
                "Let a policy run the zones of a cluster; by default it only watches.",
                "bridges",
            ),
            "record": Leaf(
                "bridges.recording.command:record",
                "Record a cluster's telemetry: a panel to train on, a trace to replay.",
                "bridges",
            ),
            "calibrate": Leaf(
                "bridges.calibration.command:calibrate",
                "Fit the world model to a recording, and judge the simulation by another.",
                "bridges",
            ),
            "decisions": Leaf(
                "bridges.deciding_again:bridge_decisions",
                "Show a log of decisions; decide again what it recorded, and tell where that differs.",
                "bridges",
            ),
            "replay": Leaf(
                "bridges.replaying.command:bridge_replay",
                "Ask a cluster again for what a recorded episode asked for; dry by default.",
                "bridges",
            ),
            "manifests": Leaf(
                "bridges.manifests.command:manifests",
                "Write what a cluster needs: zones, server, controller, Prometheus, Grafana.",
                "bridges",
            ),
            "trial": Leaf(
                "benchmarks.trial.command:trial",
                "Send the same load to zones that stay and to zones under control, on a real cluster.",
                "bridges",
            ),
        },
    ),
    "demo": Leaf(
        "benchmarks.demo:demo", "Let classical controllers run the default world; table, plot, recording, film."
    ),
    "live": Leaf("benchmarks.live.command:live", "Watch a world run: in a window, a film or a browser.", "render"),
    "benchmark": Branch(
        "Measure controllers, and the speed of the environments and of the server.",
        {
            "run": Leaf(
                "benchmarks.commands:run", "Compare controllers over seeds: cost, quality, reward (the default)."
            ),
            "suite": Leaf(
                "benchmarks.grid.command:suite",
                "Compare controllers in many conditions, in parallel; tables and a plot.",
                "benchmarks",
            ),
            "week": Leaf("benchmarks.week:week", "Generate the users of a week, as a trace to replay."),
            "tune": Leaf(
                "benchmarks.tuning.command:tune",
                "Tune controllers' parameters on training seeds: lowest cost within a limit of violations.",
                "agents",
            ),
            "forecast": Leaf(
                "benchmarks.forecasting:forecast", "Measure the speed of forecasts, against torch.", "predictors"
            ),
            "fidelity": Leaf(
                "benchmarks.fidelity.command:fidelity", "Measure how close the learned dynamics is to the physics."
            ),
            "ablation": Leaf(
                "benchmarks.ablation:ablation",
                "Train policies without forecasts, intents or shared rewards, and tell what each is worth.",
                "agents",
            ),
            "throughput": Leaf(
                "benchmarks.throughput:throughput", "Measure steps per second against Gymnasium's CartPole."
            ),
            "rendering": Leaf(
                "benchmarks.rendering:rendering",
                "Measure pictures per second, beside other environments' own.",
                "render",
            ),
            "gallery": Leaf(
                "benchmarks.gallery:gallery", "Draw the live picture in the situations of docs/rendering.md.", "render"
            ),
            "training": Leaf(
                "benchmarks.training:training_speed",
                "Measure how fast agents learn against Stable-Baselines3's PPO on CartPole.",
                "agents",
            ),
            "encoders": Leaf(
                "benchmarks.encoders.command:encoders",
                "Measure how many samples a second each encoder takes, and its memory.",
                "encoders",
            ),
            "motion": Leaf(
                "benchmarks.motion:motion",
                "Train the encoder of motions with KAN and with MLP layers over seeds; tell which retrieves better.",
                "encoders-offline",
            ),
            "serve": Leaf(
                "benchmarks.serving:serving", "Measure the prediction server against an empty endpoint.", "serve"
            ),
        },
        default="run",
    ),
    "encode": Branch(
        "From images, speech and motion to text, embeddings and intents.",
        {
            "bank": Leaf(
                "predictors.encoders.commands:bank", "Make the bank of intents that scenarios use.", "encoders"
            ),
            "files": Leaf("predictors.encoders.commands:files", "Encode files: texts and embeddings.", "encoders"),
            "evaluate": Leaf(
                "predictors.encoders.commands:evaluate",
                "Judge encoders on data sets: WER, BLEU, ROUGE, R-precision.",
                "encoders",
            ),
            "samples": Leaf(
                "predictors.encoders.commands:samples",
                "Write synthetic samples of activities: scenes, speech, motions.",
                "encoders",
            ),
        },
    ),
    "forecast": Branch(
        "Judge forecasts of recorded series.",
        {
            "evaluate": Leaf(
                "predictors.forecasting.commands:evaluate",
                "Train models on a panel and judge them on its last part.",
                "predictors",
            ),
            "worlds": Leaf(
                "predictors.stgnn.judging:worlds",
                "Judge the forecaster beside its rivals on simulated worlds.",
                "predictors",
            ),
            "ablation": Leaf(
                "predictors.stgnn.judging:ablation",
                "Train the forecaster without its parts; tell what each is worth.",
                "predictors",
            ),
            "predict": Leaf(
                "predictors.forecasting.commands:predict", "Forecast what comes after a panel's last row.", "predictors"
            ),
            "panel": Leaf("predictors.forecasting.commands:panel", "Make a panel of a long CSV file.", "predictors"),
        },
    ),
    "serve": Leaf(
        "predictors.server.commands:serve", "Serve predictions over HTTP, and metrics for Prometheus.", "serve"
    ),
    "train": Branch(
        "Train predictors, encoders and agents.",
        {
            "motion-encoder": Leaf(
                "predictors.encoders.motion.commands:train_motion_encoder",
                "Train the encoder of motions (a KAN) beside sentences.",
                "encoders-offline",
            ),
            "predictor": Leaf(
                "predictors.commands:train_predictor",
                "Train the forecaster, the learned dynamics, or a forecaster of any panel.",
                "predictors",
            ),
            "image-encoder": Leaf(
                "predictors.encoders.image.commands:train_image_encoder",
                "Fine-tune BLIP on PASCAL VOC 2012 or on images with captions.",
                "encoders",
            ),
            "speech-encoder": Leaf(
                "predictors.encoders.speech.commands:train_speech_encoder",
                "Fine-tune Wav2Vec2 on LibriSpeech or on recordings in its layout.",
                "encoders",
            ),
            "fusion": Leaf(
                "predictors.encoders.commands:train_fusion",
                "Train what makes intents of the embeddings of images, speech and motion.",
                "encoders",
            ),
            "mappo": Leaf(
                "agents.commands:train_mappo", "One policy for all zones; a critic sees all of them.", "agents"
            ),
            "ippo": Leaf("agents.commands:train_ippo", "The same, each zone for itself: the ablation.", "agents"),
            "ppo": Leaf("agents.commands:train_ppo", "A policy for a single zone, continuous actions.", "agents"),
            "dqn": Leaf("agents.commands:train_dqn", "A policy for a single zone, discrete actions.", "agents"),
        },
    ),
}
"""Everything that ``metaverse`` can do."""
