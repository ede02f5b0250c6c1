"""Where a number comes from: versions, device, code, time."""

import hashlib
import json
import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np

PACKAGES = ("tensorflow", "jax", "keras", "numpy", "opencv-python-headless")
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}  # widest first
SOURCE_FOLDER = Path(__file__).resolve().parent


def config_hash(config: dict) -> str:
    """A short fingerprint of what a run was asked to do."""
    text = json.dumps(config, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _package_versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _device() -> str:
    """The accelerators Keras sees, else the processor and its cores."""
    accelerators = [d for d in keras.distribution.list_devices() if "cpu" not in d]
    if accelerators:
        return ", ".join(accelerators)
    return f"CPU, {os.cpu_count()} cores, {_processor()}"


def _processor() -> str:
    """Its architecture and, where Linux tells them, its name and widest vectors: what
    a network learns depends on how sums of products are rounded."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    fields = {key.strip(): value for key, _, value in (x.partition(":") for x in lines)}
    flags = fields.get("flags", "").split()
    vectors = [name for flag, name in VECTORS.items() if flag in flags]
    parts = (platform.machine(), fields.get("model name", "").strip(), *vectors[:1])
    return ", ".join(part for part in parts if part)


def _commit() -> str:
    """The commit the code stands at, with '+changes' if files differ from it."""
    try:
        description = subprocess.run(
            ["git", "describe", "--always", "--dirty=+changes", "--abbrev=12"],
            cwd=SOURCE_FOLDER,
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return "not under version control"
    return description.stdout.strip()


def provenance(profile: str) -> dict:
    """Everything a reader needs to judge or repeat a run."""
    return {
        "profile": profile,
        "backend": keras.backend.backend(),
        "device": _device(),
        "packages": _package_versions(),
        "commit": _commit(),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def plain(value):
    """`value` with NumPy numbers, arrays, tuples and paths made JSON's own types."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value
