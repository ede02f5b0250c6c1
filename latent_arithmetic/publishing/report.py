"""Build report.pdf from report.tex, saved figures and recorded numbers."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from latent_arithmetic.errors import UserError
from latent_arithmetic.progress import say
from latent_arithmetic.publishing.numbers import write_macros
from latent_arithmetic.publishing.project import project_part
from latent_arithmetic.workspace import Workspace

TEX_PACKAGES = (
    "latexmk",
    "lmodern",
    "texlive-latex-base",
    "texlive-latex-recommended",
    "texlive-fonts-recommended",
)
NEEDED_FILES = ("article.cls", "booktabs.sty", "microtype.sty", "lmodern.sty")
PAGES = re.compile(r"Output written on .*?\((\d+) pages?", re.DOTALL)


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
    by_hand = f"apt-get install {' '.join(TEX_PACKAGES)}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        say(f"report.pdf is not built: TeX is missing; install it with `{by_hand}`")
        return False
    say("installing TeX for the report (a few minutes, once)")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *TEX_PACKAGES]
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


def _copy_sources(folder: Path) -> str:
    """Copy the report's sources to the build; return all LaTeX text."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in report_sources():
        shutil.copy(path, folder / path.name)
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


def build_report(workspace: Workspace) -> Path | None:
    """Build build/<profile>/report/report.pdf; None where there is no LaTeX.

    Raises:
        UserError: a number or figure is not recorded, or LaTeX found a mistake.
    """
    folder = workspace.folder("report")
    source = _copy_sources(folder)
    write_macros(workspace.results, source, folder / "numbers.tex")
    if not ensure_latex():
        return None
    say("building the report with latexmk")
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error"]
    # A fixed date makes the same sources give the same file.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    built = subprocess.run(
        [*command, "report.tex"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    log_path = folder / "report.log"
    log = log_path.read_text(errors="replace") if log_path.exists() else built.stdout
    if built.returncode:
        mistakes = [line for line in log.splitlines() if line.startswith("!")]
        raise UserError(
            f"LaTeX stopped: {(mistakes or ['see the log'])[0]} (log: {log_path})"
        )
    pages = check_log(log.replace("\n", " "))
    say(f"report: {pages} pages")
    return folder / "report.pdf"
