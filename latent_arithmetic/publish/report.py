"""Build report and supplement from LaTeX sources, saved figures, recorded numbers."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from latent_arithmetic.config import PROFILES, OutputFolder
from latent_arithmetic.console import say
from latent_arithmetic.io import UserError
from latent_arithmetic.publish.notebooks import project_part, write_text
from latent_arithmetic.records import Estimate, read_groups, read_records

FIRST_LINE = "% Generated from the records in results/; do not edit."
USED = re.compile(r"\\(?:result|interval)\{([^}]+)\}")
KINDS = ("experiments", "earlier", "benchmarks", "replications")
DOCUMENTS = ("report", "supplement")
TEX_PACKAGES = "tex-packages.txt"  # names of Debian packages, beside the sources
NEEDED_FILES = ("article.cls", "booktabs.sty", "microtype.sty", "lmodern.sty")
NEEDED_FILES += ("tikz.sty", "algorithm.sty", "algpseudocode.sty")
UNFINISHED = "unfinished"  # folder in which LaTeX works
PAGES = re.compile(r"Output written on .*?\((\d+) pages?", re.DOTALL)


def format_number(value, percent: bool = False) -> str:
    """A number as the report prints it; fractions as percentages."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if percent:
        return f"{100 * value:.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:#.3g}"


def _texts_of(
    key: str, estimate: Estimate, runs: Sequence[float] = ()
) -> dict[str, str]:
    percent = estimate.unit.startswith("%")
    value, low, high = (
        format_number(x, percent) for x in (estimate.value, estimate.low, estimate.high)
    )
    texts = {
        key: value,
        f"{key}:interval": f"[{low}, {high}]",
        f"{key}:n": f"{estimate.n:,}",
        f"{key}:seeds": str(estimate.seeds),
    }
    if len(runs) > 1:
        lowest, highest = (format_number(x, percent) for x in (min(runs), max(runs)))
        texts[f"{key}:range"] = f"{lowest} to {highest}"
    return texts


def number_texts(notebook_results: Path) -> dict[str, str]:
    """Everything the report may print, by its key.

    `<kind>/<group>/<estimate>` is a value, `notebook/<result>/<estimate>` one of the
    notebooks' own run; `:interval`, `:n`, `:seeds` and, of several runs, `:range`
    behind it belong to it. Details that are plain numbers or texts have keys, too;
    `settings/<profile>/<name>` is a setting of a profile.
    """
    texts = settings_texts()
    for kind in KINDS:
        for group, found in read_groups(kind).items():
            for name, estimate in found.estimates.items():
                runs = [run[name] for run in found.runs if name in run]
                texts |= _texts_of(f"{kind}/{group}/{name}", estimate, runs)
            for details in found.details[:1]:
                texts |= _texts_of_details(f"{kind}/{group}", details)
    for record in read_records(notebook_results):
        base = f"notebook/{record.name}"
        for name, estimate in record.estimates.items():
            texts |= _texts_of(f"{base}/{name}", estimate)
        about = {"seconds": round(record.seconds), **record.details}
        texts |= _texts_of_details(base, about | record.provenance)
    return texts


def _texts_of_details(base: str, details: dict) -> dict[str, str]:
    texts = {}
    for name, value in details.items():
        if isinstance(value, dict):
            texts |= _texts_of_details(f"{base}/{name}", value)
        elif isinstance(value, (int, float, str)):
            texts[f"{base}/{name}"] = format_number(value)
    return texts


def settings_texts() -> dict[str, str]:
    """The settings of every profile by key, such as `settings/full/vae/epochs`."""
    texts = {}
    for profile in PROFILES.values():
        for name, value in asdict(profile).items():
            parts = value.items() if isinstance(value, dict) else [("", value)]
            for part, single in parts:
                key = "/".join(filter(None, ("settings", profile.name, name, part)))
                several = single if isinstance(single, tuple) else (single,)
                texts[key] = ", ".join(f"{each}" for each in several)
    return texts


def used_keys(source: str) -> set[str]:
    r"""The keys that LaTeX text asks for with \result{...} or \interval{...}."""
    keys = set()
    for match in USED.finditer(source):
        if "#" not in match[1]:
            suffix = ":interval" if match[0].startswith("\\interval") else ""
            keys.add(match[1] + suffix)
    return keys


def macros(source: str, notebook_results: Path) -> str:
    """The content of numbers.tex: a macro for every key that the report asks for.

    Raises:
        UserError: the report asks for a number that was never recorded.
    """
    texts, keys = number_texts(notebook_results), used_keys(source)
    if missing := sorted(keys - texts.keys()):
        raise UserError(
            f"the report asks for {len(missing)} numbers that are not recorded: "
            f"{', '.join(missing[:5])}; run the notebooks of this profile first "
            f"(results in {notebook_results}), or correct the key in report/"
        )
    lines = [FIRST_LINE]
    for key in sorted(keys):
        text = re.sub(r"([&%$#_{}])", r"\\\1", texts[key])
        lines.append(f"\\expandafter\\def\\csname number:{key}\\endcsname{{{text}}}")
    return "\n".join(lines) + "\n"


def has_latex() -> bool:
    """Whether latexmk and every file the report needs are there."""
    if not (shutil.which("latexmk") and shutil.which("kpsewhich")):
        return False
    return all(
        subprocess.run(["kpsewhich", name], capture_output=True).returncode == 0
        for name in NEEDED_FILES
    )


def ensure_latex() -> bool:
    """Install TeX where apt is there and the right is given; say so otherwise."""
    if has_latex():
        return True
    packages = (project_part("report") / TEX_PACKAGES).read_text("utf-8").split()
    by_hand = f"apt-get install {' '.join(packages)}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        say(f"report.pdf is not built: TeX is missing; install it with `{by_hand}`")
        return False
    say("installing TeX for the report (a few minutes, once)")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    for command in (["apt-get", "update"], install):
        subprocess.run(command, env=environment, capture_output=True)
    if not has_latex():
        say(f"report.pdf is not built: installing TeX failed; try `{by_hand}`")
    return has_latex()


def report_sources() -> list[Path]:
    """What the report is written in; not its numbers, which are generated."""
    files = sorted(project_part("report").iterdir())
    written = [path for path in files if path.suffix in (".tex", ".bib")]
    return [path for path in written if path.name != "numbers.tex"]


def report_text() -> str:
    """All of the report's sources."""
    return "".join(path.read_text(encoding="utf-8") for path in report_sources())


def check_log(log: str) -> int:
    """The number of pages.

    Raises:
        UserError: LaTeX left a reference or a citation undefined.
    """
    undefined = re.findall(r"(?:Reference|Citation) `([^']+)'.*?undefined", log)
    if undefined:
        raise UserError(f"the report refers to what is not there: {undefined[:5]}")
    return int(PAGES.findall(log)[-1])


def build_report(output: OutputFolder) -> Path | None:
    """Build report.pdf and supplement.pdf in build/<profile>/report/.

    Returns:
        The folder; None where there is no LaTeX.

    Raises:
        UserError: a number or figure is not recorded, or LaTeX found a mistake.
    """
    if not any(output.results.glob("*.json")):
        raise UserError(
            f"no recorded results in {output.results}; "
            f"run `latent-arithmetic run --profile {output.profile.name}` first"
        )
    folder = output.folder("report")
    for path in report_sources():
        shutil.copy(path, folder / path.name)
    write_text(folder / "numbers.tex", macros(report_text(), output.results))
    if not ensure_latex():
        return None
    for name in DOCUMENTS:
        say(f"building {name}.pdf with latexmk")
        pages = _build_document(folder, name)
        say(f"{name}: {pages} pages, {os.path.relpath(folder / name)}.pdf")
    return folder


def _build_document(folder: Path, name: str) -> int:
    """Build one PDF of the sources in a folder; the number of its pages."""
    # What a killed build left behind would stop the next one.
    unfinished = folder / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    # A fixed date makes the same sources give the same file.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error"]
    built = subprocess.run(
        [*command, f"-outdir={UNFINISHED}", f"{name}.tex"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    log_path = unfinished / f"{name}.log"
    log = log_path.read_text(errors="replace") if log_path.exists() else built.stdout
    if built.returncode:
        mistakes = [line for line in log.splitlines() if line.startswith("!")]
        raise UserError(
            f"LaTeX stopped: {(mistakes or ['see the log'])[0]} (log: {log_path})"
        )
    pages = check_log(log.replace("\n", " "))
    os.replace(unfinished / f"{name}.pdf", folder / f"{name}.pdf")
    shutil.rmtree(unfinished)
    return pages
