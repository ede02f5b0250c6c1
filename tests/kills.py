"""Kill commands at random moments, start them again, compare with undisturbed ones.

    python -m tests.kills FOLDER --kills 20

Every kill takes a whole process group by SIGKILL. What is done is kept in
FOLDER/kills.json, so that the same command goes on where it was stopped.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "latent_arithmetic"]
RUNS = [
    "text-to-text-left-to-right-random-90-seed-1",
    "text-to-text-encoder-decoder-random-50-seed-1",
]
TIMES = {"seconds", "provenance", "note", "previous"}  # and other paths, times, hosts
KILLS_A_TRIAL = 4  # before the work may end
KINDS = ("training", "here", "processes", "ray", "report", "notebook")
RUN_NOTEBOOK = """
from latent_arithmetic.config import open_output_folder
from latent_arithmetic.publish.notebooks import *
name, output = "sequence_arithmetic", open_output_folder("smoke")
execute_notebook(read_notebook(name), name, output, project_part("notebooks"))
"""


def command_of(kind: str, folder: Path) -> list[str]:
    smoke = ["--profile", "smoke"]
    if kind == "training":
        out = ["--out", str(folder / "model"), "--size", "32"]
        return [*COMMAND, "train", "gan", *smoke, "--epochs", "12", *out]
    if kind in ("report", "run"):
        return [*COMMAND, kind, *smoke]
    if kind == "notebook":
        return [sys.executable, "-c", RUN_NOTEBOOK]
    where = ["--records", str(folder / "records"), "--work", str(folder / "work")]
    workers = [] if kind == "here" else ["--workers", "2"]
    return [
        *COMMAND,
        "experiments",
        "run",
        *RUNS,
        "--on",
        kind,
        *where,
        *workers,
        *smoke,
    ]


def content_of(kind: str, folder: Path) -> dict:
    """What a finished command has left, but for times and provenance."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".json" and "cache" not in name:
            record = json.loads(path.read_text())
            kept = {key: record[key] for key in record.keys() - TIMES}
            kept.get("details", {}).pop("weights_sha256", None)
            found[name] = json.dumps(kept, sort_keys=True)
        elif path.name.endswith(".weights.h5"):
            with h5py.File(path) as file:
                arrays = {}
                file.visititems(
                    lambda key, value, arrays=arrays: (
                        arrays.update({key: value[()]})
                        if isinstance(value, h5py.Dataset)
                        else None
                    )
                )
            found[name] = {
                key: np.asarray(value).tobytes().hex() for key, value in arrays.items()
            }
        elif path.suffix == ".ipynb":
            found[name] = len(json.loads(path.read_text())["cells"])
        elif path.name in ("numbers.tex", "report.pdf", "supplement.pdf"):
            text = path.read_bytes()
            found[name] = len(text) if path.suffix == ".pdf" else text.decode()
    return found


def strays(folder: Path) -> list[str]:
    names = ("*unfinished*", ".status.json", "checkpoint.npz")
    return [str(path) for name in names for path in folder.rglob(name)]


def run(kind: str, folder: Path, kill_after: float | None = None) -> tuple[float, int]:
    """Run the command of a kind; seconds and exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"LATENT_ARITHMETIC_BUILD": str(folder / "build")}
    started = time.monotonic()
    with open(folder.with_suffix(".log"), "ab") as log:
        process = subprocess.Popen(
            command_of(kind, folder),
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return time.monotonic() - started, process.returncode


def reference_of(kind: str, root: Path) -> tuple[dict, float]:
    """The undisturbed run, made once, and how long it takes."""
    folder, about = root / kind / "undisturbed", root / kind / "undisturbed.json"
    if not about.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        prepare(kind, root, folder)
        seconds, status = run(kind, folder)
        assert status == 0, f"{kind}: the undisturbed run failed, see {folder}.log"
        about.write_text(json.dumps({"seconds": seconds}))
    return content_of(kind, folder), json.loads(about.read_text())["seconds"]


def prepare(kind: str, root: Path, folder: Path) -> None:
    """The report is built from the results of both notebooks."""
    if kind == "report":
        reference_of("run", root)
        build = root / "run" / "undisturbed" / "build"
        shutil.copytree(build, folder / "build")
        shutil.rmtree(folder / "build" / "smoke" / "report")


def one_trial(kind: str, number: int, kills: int, root: Path) -> dict:
    """Kill up to `kills` times, start again each time, compare when it has ended.

    Raises:
        ValueError: a file that a kill left behind is torn.
    """
    expected, seconds = reference_of(kind, root)
    folder = root / kind / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    prepare(kind, root, folder)
    moments, killed = random.Random(f"{kind} {number}"), []
    for _ in range(kills):
        after = moments.uniform(0.2, 0.6 * seconds)
        if run(kind, folder, after)[1] == -signal.SIGKILL:
            killed.append(round(after, 2))
        content_of(kind, folder)
    _, status = run(kind, folder)
    found = content_of(kind, folder)
    different = sorted(
        name
        for name in expected.keys() | found.keys()
        if expected.get(name) != found.get(name)
    )
    left = strays(folder)
    if status == 0 and not different and not left:
        shutil.rmtree(folder)
    return {
        "killed": len(killed),
        "after": killed,
        "status": status,
        "different": different,
        "strays": left,
    }


def kill_all(root: Path, kinds, kills: int) -> dict[str, dict]:
    """At least `kills` kills of every kind, several in each trial."""
    file, done = root / "kills.json", {}
    with contextlib.suppress(OSError):
        done = json.loads(file.read_text())
    for kind in kinds:
        while True:
            trials = {n: t for n, t in done.items() if n.split()[0] == kind}
            missing = kills - sum(each["killed"] for each in trials.values())
            if missing <= 0:
                break
            number = len(trials)
            name = f"{kind} {number}"
            done[name] = one_trial(kind, number, min(missing, KILLS_A_TRIAL), root)
            unfinished = file.with_suffix(".tmp")
            unfinished.write_text(json.dumps(done, indent=1))
            os.replace(unfinished, file)
            print(name, done[name], flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20, help="of every kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    done = kill_all(options.folder.resolve(), options.kinds, options.kills)
    bad = {
        n: d for n, d in done.items() if d["status"] or d["different"] or d["strays"]
    }
    killed = sum(each["killed"] for each in done.values())
    print(f"{len(done)} trials, {killed} kills, {len(bad)} trials not as undisturbed")
    for name, about in bad.items():
        print(name, about)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
