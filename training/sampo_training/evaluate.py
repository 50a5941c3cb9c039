"""`python -m sampo_training.evaluate --model NAME=WEIGHTS ... --data DIR [--parts ...] [--out FILE]`: every model on the same clicks, beside
the baselines. WEIGHTS is a checkpoint or a model folder. Intent F1 for k positive (and k negative) clicks on breast and on the
proxies for what is not breast, then outlines on the held-out parts. One command, one record."""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch

from . import data, scenes
from .baselines import classical, forest_scores, measurements
from .fluorescence import read_fluorescence
from .infer import Encoded, encode_image, score_objects
from .metrics import calibration_error, f1, instance_scores, matched
from .packed import load
from .scenes import Scene
from .splits import held_out, kromp_test

CLICKS = (1, 5, 10)
LEAST_OF_CLASS = 5  # fewer nuclei of a class are not asked about
THRESHOLDS = np.round(np.arange(0.1, 0.91, 0.1), 2)


def intent_parts(root: Path, split: str) -> dict[str, Callable[[], list[Scene]]]:
    """Scenes by name of the part, read when they are needed."""
    organs = cache(lambda: scenes.held_out_organs(root))
    tissue = cache(lambda: scenes.tissue_sections(root))
    return {
        f"breast-{split}": lambda: scenes.breast(root, split),
        "melanoma": lambda: scenes.melanoma(root),
        "blood": lambda: scenes.blood(root),
        "marker-brown-tissue": lambda: scenes.painted(tissue(), True),
        "marker-other-tissue": lambda: scenes.painted(tissue(), False),
        "marker-brown-organs": lambda: scenes.painted(organs(), True),
        "marker-other-organs": lambda: scenes.painted(organs(), False),
        "looks-organs": lambda: scenes.by_looks(organs()),
    }


def outline_parts(root: Path) -> dict[str, Callable[[], list[data.Instances]]]:
    test = kromp_test(root / "kromp_fluorescence/index.json")

    def kept(folder: str):
        return lambda stem: held_out(f"{folder}/{stem}")

    return {
        "tnbc": lambda: data.read_instances(root / "tnbc_20x", True, False, kept("tnbc_20x")),
        "dsb-brightfield": lambda: data.read_instances(root / "dsb2018_brightfield", False, True, kept("dsb2018_brightfield")),
        "dsb-fluorescence": lambda: read_fluorescence(root / "dsb2018_fluorescence", False, kept("dsb2018_fluorescence")),
        "kromp-test": lambda: read_fluorescence(root / "kromp_fluorescence", False, lambda stem: stem in test),
    }


def draw_clicks(rng, points: np.ndarray, classes: np.ndarray, asked: int, k: int, negatives: bool):
    """k centroids of the class, and as many of other classes when `negatives`. -> clicks, labels; None when there are too few."""
    own, others = np.flatnonzero(classes == asked), np.flatnonzero(classes != asked)
    if len(own) < max(k, LEAST_OF_CLASS):
        return None
    chosen = rng.choice(own, k, replace=False)
    rest = rng.choice(others, min(k, len(others)), replace=False) if negatives and len(others) else np.zeros(0, int)
    order = np.concatenate([chosen, rest])
    return points[order], np.array([1] * len(chosen) + [0] * len(rest))


def clear_objects(scene: Scene, encoded: Encoded) -> np.ndarray:
    """Which found nuclei count: those not centred on a nucleus that the question leaves out. -> [N] bool."""
    if scene.unclear is None:
        return np.ones(len(encoded.centroids), bool)
    columns, rows = encoded.centroids.round().astype(int).T
    return ~scene.unclear[rows.clip(0, scene.unclear.shape[0] - 1), columns.clip(0, scene.unclear.shape[1] - 1)]


def setting(k: int, negatives: bool) -> str:
    return f"{k}+{k}" if negatives else str(k)


class Tally:
    """F1 values by (method, setting, class); the report is the mean over classes of their means."""

    def __init__(self):
        self.values: dict[tuple[str, str, str], list[float]] = {}

    def add(self, method: str, asked: str, kind: str, value: float):
        self.values.setdefault((method, asked, kind), []).append(value)

    def report(self) -> dict[str, dict[str, float]]:
        means: dict[str, dict[str, list[float]]] = {}
        for (method, asked, _), values in self.values.items():
            means.setdefault(method, {}).setdefault(asked, []).append(float(np.mean(values)))
        return {method: {asked: round(float(np.mean(v)), 4) for asked, v in rows.items()} for method, rows in means.items()}


def intent_scores(nets, part: list[Scene], seeds: int, with_forest: bool) -> dict:
    """-> F1 by method and setting. "best threshold" is what the model would reach if the right one were known for each question;
    "calibration error" is that of the scores of all found nuclei, at five clicks."""
    tally, judged = Tally(), {}
    for scene in part:
        encoded = encode_image(nets, scene.rgb)
        counted = clear_objects(scene, encoded)
        found = encoded.centroids[counted]
        table = measurements(scene.rgb, encoded.instances) if with_forest else None
        for asked, name in enumerate(scene.names):
            truth = scene.points[scene.classes == asked]
            for k in CLICKS:
                for negatives in (False, True):
                    for seed in range(seeds):
                        rng = np.random.default_rng([seed, k, asked, negatives])
                        drawn = draw_clicks(rng, scene.points, scene.classes, asked, k, negatives)
                        if drawn is None:
                            continue
                        scores = score_objects(nets, encoded, *drawn)[counted]
                        key = (setting(k, negatives), name)
                        tally.add("sampo", *key, f1(found[scores >= 0.5], truth))
                        if k == 5:
                            tally.add("best threshold", *key, max(f1(found[scores >= t], truth) for t in THRESHOLDS))
                            judged.setdefault(key[0], []).append((scores, matched(found, truth)))
                        if seed == 0:
                            tally.add("all nuclei", *key, f1(found, truth))
                        if with_forest:
                            votes = forest_scores(table, encoded, *drawn, rng)[counted]
                            tally.add("forest", *key, f1(found[votes >= 0.5], truth))
    calibration = {asked: calibration_error(*(np.concatenate(column) for column in zip(*rows))) for asked, rows in judged.items()}
    return tally.report() | {"calibration error": {asked: round(error, 4) for asked, error in calibration.items()}}


def outline_scores(segment: Callable[[np.ndarray], np.ndarray], records: list[data.Instances]) -> dict[str, float]:
    """Means over images of Dice, AJI and F1 at IoU 0.5. `segment`: rgb -> labels."""
    rows = []
    for record in records:
        labels = scenes.resized_labels(record.labels, record.scale)
        rows.append(instance_scores(segment(scenes.resized(record.rgb, record.scale)), labels))
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]} | dict(images=len(rows))


def model_argument(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or not Path(path).exists():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH of a checkpoint or a model folder")
    return name, Path(path)


def settings_of(text: str) -> list[str]:
    """The words of a record's command but those that name its models."""
    words = text.split()
    return [word for index, word in enumerate(words) if "--model" not in (word, words[index - 1])]


def join_records(report: dict, earlier: dict) -> None:
    """Adds the models of an earlier record. @raises SystemExit when it was made with other settings."""
    if settings_of(earlier["command"]) != settings_of(report["command"]):
        raise SystemExit(f"the earlier record is of {earlier['command']!r}, this one of {report['command']!r}")
    report["beside"] = earlier["command"]
    report["models"] = earlier["models"] | report["models"]
    for section in ("intent", "outlines"):
        report[section] = {part: earlier[section].get(part, {}) | rows for part, rows in report[section].items()}


def in_processes(work: Callable, items: list, count: int):
    """Yields work(item) in the order of the items, computed in `count` forked processes."""
    if count == 1:
        yield from map(work, items)
        return
    global _work
    _work = work  # forked processes have it without pickling
    with multiprocessing.get_context("fork").Pool(count) as pool:
        yield from pool.imap(_call, items)


def _call(item):
    return _work(item)


def identity(path: Path) -> dict:
    """What a record says of a model: its version and checksums, or the steps of a checkpoint."""
    if path.is_dir():
        document = json.loads((path / "model.json").read_text())
        return dict(name=document["name"], version=document["version"], sha256={part: row["sha256"] for part, row in document["files"].items()})
    return dict(steps=torch.load(path, weights_only=True)["step"])


def command(arguments: argparse.Namespace) -> str:
    """The command of a record, with names in place of this machine's paths."""
    words = ["python -m sampo_training.evaluate", *(f"--model {name}=WEIGHTS" for name, _ in arguments.model), "--data DATA"]
    words += [f"--split {arguments.split}", f"--seeds {arguments.seeds}"]
    words += [f"--parts {' '.join(arguments.parts)}"] if arguments.parts else []
    words += [f"--limit {arguments.limit}"] if arguments.limit else []
    return " ".join([*words, *(f"--{flag}" for flag in ("forest", "classical") if getattr(arguments, flag))])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=model_argument, action="append", required=True, help="NAME=checkpoint or NAME=model folder")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val", choices=["val", "test"], help="of brca_m2c; test only for a release")
    parser.add_argument("--parts", nargs="+", help="names of parts; all by default")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--limit", type=int, help="at most so many images of each part, spread over it")
    parser.add_argument("--forest", action="store_true", help="the random forest too (slow)")
    parser.add_argument("--classical", action="store_true", help="the classical way to outlines too")
    parser.add_argument("--beside", type=Path, help="an earlier record of the same settings, whose models stand beside these in --out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    intents, outlines = intent_parts(arguments.data, arguments.split), outline_parts(arguments.data)
    unknown = set(arguments.parts or ()) - {*intents, *outlines}
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join([*intents, *outlines])}")
    report = dict(command=command(arguments), models={name: identity(path) for name, path in arguments.model}, intent={}, outlines={})
    start = time.monotonic()
    torch.set_num_threads(1)  # before the fork: a pool of threads does not survive it
    networks = {name: load(path) for name, path in arguments.model}

    def thinned(items: list) -> list:
        if not arguments.limit or len(items) <= arguments.limit:
            return items
        return [items[i] for i in np.linspace(0, len(items) - 1, arguments.limit).round().astype(int)]

    def measure(part: str) -> tuple[str, str, dict]:
        """-> section of the report, part, rows by model."""
        if part in intents:
            chosen = thinned(intents[part]())
            rows = {name: intent_scores(nets, chosen, arguments.seeds, arguments.forest) for name, nets in networks.items()}
            return "intent", part, dict(images=len(chosen)) | rows
        records = thinned(outlines[part]())
        rows = {name: outline_scores(lambda rgb, nets=nets: encode_image(nets, rgb).instances, records) for name, nets in networks.items()}
        if arguments.classical:
            rows["classical"] = outline_scores(classical, records)
        return "outlines", part, rows

    parts = [part for part in (*intents, *outlines) if not arguments.parts or part in arguments.parts]
    for section, part, rows in in_processes(measure, parts, arguments.processes):
        report[section][part] = rows
        print(f"{time.monotonic() - start:6.0f} s {part}: {json.dumps(rows)}", flush=True)
    if arguments.beside:
        join_records(report, json.loads(arguments.beside.read_text()))
    report["seconds"] = round(time.monotonic() - start)
    if arguments.out:
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
