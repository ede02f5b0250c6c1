"""Pictures that were read once are kept as one array: the next run starts at once."""

import contextlib
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from latent_arithmetic.checkpoints import read_arrays, save_arrays
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.folders import LoadReport, list_files, read_pictures
from latent_arithmetic.progress import say
from latent_arithmetic.workspace import BUILD_VARIABLE, build_folder, in_project

VERSION = 1  # one more whenever the same files are read into other pictures


def read_cached(
    path: Path, size: int, limit: int | None = None
) -> tuple[np.ndarray, LoadReport]:
    """`read_pictures`, or what it gave when the files were the same.

    One .npz for each path, size and limit is kept in `build/cache/`; none outside
    a project, or where it cannot be written.

    Raises:
        UserError: see ``read_pictures``.
    """
    file = _cache_file(path, size, limit)
    if file is None or not os.path.exists(path):
        return read_pictures(path, size, limit)
    fingerprint = _fingerprint(path)
    images, report = _load(file, fingerprint)
    if report is not None:
        say(f"{report.origin}: taken from the cache {file}")
        return images, report
    images, report = read_pictures(path, size, limit)
    if report.names:
        about = json.dumps({"fingerprint": fingerprint, "report": asdict(report)})
        about = np.frombuffer(about.encode(), np.uint8)
        with contextlib.suppress(UserError):  # a full or read-only disk: no cache
            save_arrays(file, {"images": images, "about": about})
    return images, report


def _cache_file(path: Path, size: int, limit: int | None) -> Path | None:
    path = path.resolve()
    folder = (build_folder() / "cache").resolve()
    if not (in_project() or os.environ.get(BUILD_VARIABLE)):
        return None
    if folder.is_relative_to(path):  # writing it would change what was read
        return None
    key = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return folder / f"{key}-{size}-{limit or 'all'}.npz"


def _fingerprint(path: Path) -> str:
    """Changes whenever a file is added, removed, renamed or written."""
    files = list_files(path) if path.is_dir() else [(path.name, path)]
    digest = hashlib.sha256(f"{VERSION}".encode())
    for name, file in files:
        digest.update(os.fsencode(name))
        with contextlib.suppress(OSError):
            status = file.stat()
            digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _load(file: Path, fingerprint: str) -> tuple[np.ndarray | None, LoadReport | None]:
    """What is kept of these very files, or nothing."""
    try:
        arrays = read_arrays(file)
        about = json.loads(arrays["about"].tobytes())
        report = LoadReport(**about["report"])
        report.skipped = [(name, reason) for name, reason in report.skipped]
        if about["fingerprint"] == fingerprint:
            return arrays["images"], report
    except Exception:  # missing, or damaged in any way: read the files again
        pass
    return None, None
