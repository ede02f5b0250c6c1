"""Move the records of version 0.1 to the names and the schema of version 0.2.

Values, n, seeds and provenance stay as they are; nothing is run. Names, estimate keys
and configurations get their new names, and `previous` keeps the old name and hash. To
be deleted once it has run.

    python migrate_records.py RESULTS_FOLDER BENCHMARK_NAMES.json
"""

import json
import re
import shutil
import sys
from pathlib import Path

from latent_arithmetic.experiments import images, seq2seq
from latent_arithmetic.records import Estimate, Record

PRESETS = {
    "ours": "default",
    "course": "baseline",
    "untold": "unconditional",
    "attributes-once": "attribute-weight-1",
    "gaussian": "gaussian-likelihood",
    "no-warm-up": "no-kl-warm-up",
    "full-price": "beta-1",
    "kernel-of-2": "kernel-size-2",
    "kernel-of-3": "kernel-size-3",
    "kernel-of-5": "kernel-size-5",
    "translated": "diffaugment-translation",
    "not-averaged": "no-ema",
    "no-penalty": "no-gradient-penalty",
    "full-penalty": "gamma-1",
    "relativistic": "relativistic-loss",
    "relativistic-no-penalty": "relativistic-loss-no-gradient-penalty",
}
IMAGE_GROUP = re.compile(
    r"(cryptopunks|utkface|anime-faces)-(cae|vae|gan)-(.*?)(-short|-long)?"
)
TEXT_GROUPS = (  # the first that fits
    (r"text-to-text-summary-(encoder-\d-decoder-\d)", r"text-to-text-depth-\1"),
    (r"text-to-text-summary-", "text-to-text-encoder-decoder-"),
    (
        r"text-to-text-attention-no-alignment-",
        "text-to-text-attention-without-alignment-",
    ),
    (r"text-to-text-attention-", "text-to-text-attention-alignment-given-"),
    (r"text-to-text-place-aligned-", "text-to-text-column-aligned-"),
    (r"image-to-text-eye-answers", "image-to-text-modular-answers"),
    (r"image-to-text-eye-labels", "image-to-text-modular-characters"),
    (r"text-to-image-styles", "text-to-image-conditional-vae"),
    (r"long-numbers-states", "length-generalization-finite-state"),
    (r"long-numbers-lstm", "length-generalization-lstm"),
)
WAYS = {
    "regression": "least_squares",
    "means": "class_means",
    "told": "attribute_embedding",
    "corrected": "iterative",
    "described": "given_attributes",
}
EDITS = {
    "added": "attribute_present",
    "kept": "others_unchanged",
    "success": "success_rate",
    "unchanged": "reconstruction_unchanged",
    "visible-success": "success_rate_detectable",
    "exact": "exact_match_rate",
    "exact-unseen": "exact_match_rate_unseen",
}
IMAGE_KEYS = {
    "frechet": "frechet_distance",
    "kernel": "kernel_distance",
    "exact_copies": "exact_duplicate_rate",
    "near_copies": "near_duplicate_rate",
    "near_distance": "near_duplicate_distance",
    "real_diversity": "diversity_reference",
    "on_palette": "palette_fraction",
    "marginals": "attribute_frequency_error",
    "pairs": "attribute_pair_frequency_error",
    "drawn_again": "duplicate_rate_before_rejection",
    "test_psnr": "psnr",
    "test_ssim": "ssim",
    "test_mse": "mse",
    "mean_picture_psnr": "psnr_of_mean_image",
    "active_latents": "active_units",
}
TEXT_KEYS = {
    "exact": "exact_match",
    "per-character": "per_character_accuracy",
    "unreadable": "malformed",
    "mean-absolute-error": "mean_absolute_error",
    "neighbour-vote": "nearest_neighbor_vote",
    "most-frequent": "most_frequent_answer",
    "digits-read": "digit_accuracy",
    "mistakes-misread": "errors_with_misread_character",
    "real-handwriting": "real_glyphs_exact_match",
    "variety": "intra_class_diversity",
    "variance": "pixel_variance",
    "sharpness": "gradient_energy",
    "nearest": "nearest_training_distance",
}
JUDGE = {
    "judge-exact": "classifier_exact_match",
    "judge-precision": "classifier_precision",
    "judge-recall": "classifier_recall",
}


def new_group(group: str) -> str:
    """The new name of a group of runs."""
    if match := IMAGE_GROUP.fullmatch(group):
        data, task, recipe, suffix = match.groups()
        return f"{data}-{task}-{PRESETS.get(recipe, recipe)}{suffix or ''}"
    for pattern, name in TEXT_GROUPS:
        if re.match(pattern, group):
            group = re.sub(f"^{pattern}", name, group)
            break
    return group.replace("mirror-clean", "commutative-grouped")


def new_image_key(key: str) -> str:
    """The new name of an estimate of Task 1."""
    if key in JUDGE:
        return JUDGE[key]
    if match := re.fullmatch(r"arithmetic-(\w+?)-(.*)", key):
        return f"edit_{WAYS[match[1]]}_{EDITS[match[2]]}"
    if match := re.fullmatch(r"(normal|mixture)-(.*)", key):
        return f"{match[1]}_prior_{new_image_key(match[2])}"
    if key in IMAGE_KEYS:
        return IMAGE_KEYS[key]
    for suffix, new in (("_floor", "_reference"), ("_ratio", "_ratio")):
        if key.endswith(suffix):
            return new_image_key(key.removesuffix(suffix)) + new
    return key


def new_text_key(key: str) -> str:
    """The new name of an estimate of Task 2."""
    for task in ("image-to-text", "text-to-image"):
        if key.startswith(f"{task}-"):
            rest = new_text_key(key.removeprefix(f"{task}-"))
            return f"{task.replace('-', '_')}_{rest}"
    if match := re.fullmatch(r"(\d+)-digits(.*)", key):
        rest = match[2].replace("not-shown", "unseen_patterns")
        rest = rest.replace("share-shown", "seen_patterns_fraction")
        rest = re.sub(r"\bshown", "seen_patterns", rest)
        return f"{match[1]}_digits{rest.replace('-', '_')}"
    return TEXT_KEYS[key]


def new_details(old: dict) -> dict:
    """What is kept beside the estimates, under its new names."""
    details = {}
    if "features" in old:
        names = {"attribute judge": "attribute classifier", "random net": "random CNN"}
        features = old["features"]
        details["feature_extractor"] = features | {"name": names[features["name"]]}
    if "mistakes" in old:
        details["error_types"] = {
            kind.replace("unreadable", "malformed"): count
            for kind, count in old["mistakes"].items()
        }
        details["validation_exact_match"] = old["validation-exact"]
    return details | {k: old[k] for k in ("parameters", "steps") if k in old}


def new_record(old: dict, experiment) -> Record:
    """A run's record under the name and with the configuration of its experiment."""
    key = new_image_key if "recipe" in old["config"] else new_text_key
    estimates = {key(name): Estimate(**each) for name, each in old["numbers"].items()}
    if len(estimates) != len(old["numbers"]):
        raise ValueError(f"two estimates of {old['name']} get one name")
    return Record(
        name=experiment.name,
        group=experiment.group,
        config=experiment.config,
        estimates=estimates,
        details=new_details(old),
        seeds=(old["config"]["seed"],),
        seconds=old["seconds"],
        provenance=old["provenance"],
        previous={"name": old["name"], "config_hash": old["config_hash"]},
    )


def new_benchmark(old: dict, name: str, rows: dict[str, str]) -> Record:
    """A benchmark's record; `rows`: the new name of every row."""
    estimates, ratios, notes = {}, {}, {}
    for row, each in old["numbers"].items():
        key = rows[row]
        values = {k: each[k] for k in ("value", "low", "high", "n", "seeds", "unit")}
        estimates[key] = Estimate(**values)
        ratios |= {key: each["better"]} if each["better"] else {}
        notes |= {key: each["note"]} if each["note"] else {}
    seeds = max(each.seeds for each in estimates.values())
    return Record(
        name=name,
        group=name,
        config={},
        estimates=estimates,
        details={
            "ratio_to_baseline": ratios,
            "notes": notes,
            "repeats": old["details"],
            "spread": old["spread"],
        },
        seeds=tuple(range(1, seeds + 1)),
        note=old["note"],
        provenance=old["provenance"],
        previous={"name": old["name"]},
    )


def experiments_by_name() -> dict:
    """Every experiment of both halves."""
    known = [*images.all_experiments(), *seq2seq.all_experiments()]
    return {each.name: each for each in known}


def new_name(old_name: str) -> str:
    """The new name of a run."""
    group, seed = re.fullmatch(r"(.*)-seed-(\d+)", old_name).groups()
    return f"{new_group(group)}-seed-{seed}"


def move_runs(old_folder: Path, new_folder: Path) -> int:
    """Write every run's record, and its samples, under the new name."""
    known, paths = experiments_by_name(), sorted(old_folder.glob("*-seed-*.json"))
    for path in paths:
        name = new_name(path.stem)
        record = new_record(json.loads(path.read_text()), known[name])
        record.write(new_folder / f"{name}.json")
        if (samples := path.with_suffix(".png")).is_file():
            shutil.copy(samples, new_folder / f"{name}.png")
    return len(paths)


def move_benchmarks(folder: Path, names: dict) -> None:
    """Write every benchmark's record under the new names."""
    for place, entry in names.items():
        old = json.loads((folder.parent / place).read_text())
        new = Path(place).parent.name.replace("replication", "replications")
        record = new_benchmark(old, entry["name"], entry["rows"])
        record.write(folder / new / f"{entry['name']}.json")


def main(results: Path, names: Path) -> None:
    moved = move_runs(results / "study", results / "experiments")
    moved += move_runs(results / "replication", results / "replications")
    move_benchmarks(results, json.loads(names.read_text()))
    print(f"{moved} runs moved")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
