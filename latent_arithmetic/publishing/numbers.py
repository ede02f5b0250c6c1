"""Recorded numbers as LaTeX macros and as the README's table."""

import re
from pathlib import Path

from latent_arithmetic.errors import UserError
from latent_arithmetic.publishing.project import write_text
from latent_arithmetic.results import read_results

FIRST_LINE = "% Generated from the files in results/; do not edit."
USED = re.compile(r"\\(?:result|interval)\{([^}]+)\}")
SHARE_DECIMALS = 2
# What the README's table and the end of a run show.
HEADLINES = {
    "study/text-to-text-attention-random-90.exact": "text-to-text, 90% trained on",
    "study/text-to-text-attention-random-90.neighbour-vote": (
        "(null model: neighbouring questions vote)"
    ),
    "study/text-to-text-attention-random-50.exact": "text-to-text, 50%",
    "study/text-to-text-attention-mirror-clean-50.exact": (
        "text-to-text, 50%, mirror-clean split"
    ),
    "study/text-to-text-attention-mirror-clean-10.exact": (
        "text-to-text, 10%, mirror-clean split"
    ),
    "study/text-to-text-attention-random-25.exact": "text-to-text, 25%",
    "study/text-to-text-attention-random-10.exact": "text-to-text, 10%",
    "study/text-to-text-attention-random-10.neighbour-vote": (
        "(null model: neighbouring questions vote)"
    ),
    "study/text-to-text-attention-random-5.exact": "text-to-text, 5%",
    "study/text-to-text-attention-random-2.exact": "text-to-text, 2%",
    "study/text-to-text-place-aligned-random-10.exact": (
        "the same, columns given (structured input), 10%"
    ),
    "study/text-to-text-place-aligned-random-5.exact": "columns given, 5%",
    "study/text-to-text-place-aligned-random-2.exact": "columns given, 2%",
    "study/image-to-text-eye-answers.exact": (
        "image-to-text, taught with answers only: unseen digits"
    ),
    "study/image-to-text-eye-answers.digits-read": "(digits it reads right)",
    "study/image-to-text-eye-labels.exact": "image-to-text, told every character",
    "study/image-to-text-cnn-lstm.exact": (
        "image-to-text, straight: conv net and LSTM"
    ),
    "study/text-to-image-styles.exact": "text-to-image, as read back",
    "study/text-to-image-styles.real-handwriting": "(the reader on real handwriting)",
    "study/text-to-image-styles.variety": "(variety of painted digits, of real)",
    "study/text-to-image-styles.sharpness": "(sharpness of painted digits, of real)",
    "study/text-to-text-attention-three-digits-random-90.exact": (
        "numbers of three digits: text-to-text"
    ),
    "study/text-to-text-attention-three-digits-random-90.image-to-text-exact": (
        "three digits: image-to-text"
    ),
    "study/text-to-text-attention-three-digits-random-90.text-to-image-exact": (
        "three digits: text-to-image, as read back"
    ),
    "study/text-to-text-summary-encoder-1-decoder-1-random-50.exact": (
        "one encoder and one decoder layer (summary, short training, 50%)"
    ),
    "study/text-to-text-summary-encoder-5-decoder-1-random-50.exact": (
        "five encoder layers"
    ),
    "study/text-to-text-summary-encoder-1-decoder-5-random-50.exact": (
        "five decoder layers"
    ),
    "study/long-numbers-states.3-digits": (
        "taught two digits, asked 3 (four states, columns given)"
    ),
    "study/long-numbers-states.3-digits-share-shown": (
        "(questions of 3 digits whose columns two digits show)"
    ),
    "study/long-numbers-lstm.3-digits": "the same with LSTM cells, asked 3",
    "study/long-numbers-states.20-digits": "taught two digits, asked 20",
    "study/long-numbers-states.20-digits-sums": "taught two digits, sums of 20",
    "study/long-numbers-states.100-digits": "taught two digits, asked 100",
    "text-to-text-90/exact": "in the notebook: text-to-text (summary), 90%",
    "text-to-text-10/exact": "in the notebook: text-to-text (summary), 10%",
    "image-to-text/exact": "in the notebook: image-to-text",
    "text-to-image/exact": "in the notebook: text-to-image, as read back",
    "reader/all": "reader: characters and junk read right",
    "picture-study/cryptopunks-vae-ours.frechet_floor": (
        "unseen real punks: Fréchet distance, the floor"
    ),
    "picture-study/cryptopunks-vae-ours.frechet": (
        "VAE, samples of the mixture: Fréchet distance"
    ),
    "picture-study/cryptopunks-vae-course.normal-frechet": (
        "the course's VAE, samples of N(0, I)"
    ),
    "picture-study/cryptopunks-gan-ours.frechet": "GAN, samples: Fréchet distance",
    "picture-study/cryptopunks-gan-relativistic.frechet": (
        "GAN, the relativistic loss"
    ),
    "picture-study/cryptopunks-gan-course.frechet": "the course's GAN, the same",
    "picture-study/cryptopunks-vae-ours.coverage": "VAE: coverage of real punks",
    "picture-study/cryptopunks-gan-ours.coverage": "GAN: coverage of real punks",
    "picture-study/cryptopunks-vae-ours.test_psnr": (
        "VAE: reconstruction of test punks"
    ),
    "picture-study/cryptopunks-vae-ours.drawn_again": (
        "VAE: first draws that repeat a training punk; drawn again"
    ),
    "picture-study/cryptopunks-vae-ours.near_copies": (
        "(of what is shown then, nearly copies)"
    ),
    "picture-study/cryptopunks-vae-ours.near_copies_floor": (
        "(unseen real punks that near to one)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-corrected-success": (
        "VAE: an attribute added and corrected, all others kept"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-corrected-visible-success": (
        "(of changes that the judge could see in real punks)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-told-success": (
        "(without corrections, by places)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-told-visible-success": (
        "(by places, of changes that the judge could see)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-told-unchanged": (
        "(merely restored: all attributes kept)"
    ),
    "picture-study/cryptopunks-vae-ours-long.arithmetic-told-success": (
        "(after 40 epochs, not 20: added, all others kept)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-corrected-exact": (
        "VAE: corrected, where the result exists: equal to that punk in every pixel"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-corrected-exact-unseen": (
        "(of such punks that were not trained on)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-told-exact": (
        "(the same without corrections, by places)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-told-exact-unseen": (
        "(by places, not trained on)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-regression-exact": (
        "(the same by least squares, all)"
    ),
    "picture-study/cryptopunks-vae-ours.arithmetic-regression-exact-unseen": (
        "(by least squares, not trained on)"
    ),
    "picture-study/utkface-vae-ours.frechet": (
        "UTKFace: VAE with a discriminator, samples of the mixture"
    ),
    "picture-study/utkface-vae-gaussian.frechet": "(without a discriminator)",
    "picture-study/utkface-vae-course.normal-frechet": (
        "UTKFace: the course's VAE, samples of N(0, I)"
    ),
    "picture-study/utkface-gan-ours.frechet": "UTKFace: GAN",
    "picture-study/utkface-gan-kernel-of-3.frechet": (
        "(with kernels of 3 in its discriminator)"
    ),
    "picture-study/utkface-gan-relativistic.frechet": (
        "UTKFace: GAN, the relativistic loss"
    ),
    "picture-study/utkface-gan-course.frechet": "UTKFace: the course's GAN",
    "picture-study/anime-faces-vae-ours.frechet": (
        "anime faces: VAE with a discriminator, samples of the mixture"
    ),
    "picture-study/anime-faces-vae-gaussian.frechet": "(without a discriminator)",
    "picture-study/anime-faces-vae-course.normal-frechet": (
        "anime faces: the course's VAE, samples of N(0, I)"
    ),
    "picture-study/anime-faces-gan-ours.frechet": "anime faces: GAN",
    "picture-study/anime-faces-gan-kernel-of-2.frechet": (
        "(with kernels of 2 in its discriminator)"
    ),
    "picture-study/anime-faces-gan-kernel-of-3.frechet": (
        "(with kernels of 3 in its discriminator)"
    ),
    "picture-study/anime-faces-gan-kernel-of-5.frechet": (
        "(with kernels of 5 in its discriminator)"
    ),
    "picture-study/anime-faces-gan-relativistic.frechet": (
        "anime faces: GAN, the relativistic loss"
    ),
    "picture-study/anime-faces-gan-course.frechet": "anime faces: the course's GAN",
    "cae/test_psnr": "in the notebook: CAE, reconstruction of test pictures",
    "vae/test_psnr": "in the notebook: VAE, reconstruction of test pictures",
    "vae/mean_picture_psnr": "(the mean training picture)",
    "quality-gan/frechet_floor": "in the notebook: Fréchet distance, the floor",
    "quality-vae-mixture/frechet": "in the notebook: VAE, samples of the mixture",
    "quality-vae-mixture/drawn_again": "(first draws that repeat a training punk)",
    "quality-gan/frechet": "in the notebook: GAN, samples",
}


def format_value(entry: dict, key: str = "value") -> str:
    """One value of a number as it is printed: shares as percentages."""
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if entry.get("unit", "").startswith("%"):
        return f"{100 * value:.{SHARE_DECIMALS}f}"
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:#.3g}"


def format_interval(entry: dict) -> str:
    """The 95% interval of a number, as '[low, high]'."""
    return f"[{format_value(entry, 'low')}, {format_value(entry, 'high')}]"


def _known_interval(entry: dict) -> str:
    """The interval, or nothing for a value that came without."""
    alone = entry["low"] == entry["high"]
    return "" if alone else format_interval(entry)


def number_texts(results: dict[str, dict]) -> dict[str, str]:
    """Everything the report may print, by its key.

    `<result>/<number>` is the value, with `:interval`, `:n` and `:seeds` behind it
    where they were recorded; `<result>/seconds` and `<result>/<provenance>` belong to
    the whole result.
    """
    texts = {}
    for name, content in results.items():
        texts[f"{name}/seconds"] = f"{content['seconds']:,.0f}"
        for key in ("profile", "backend", "device", "finished"):
            texts[f"{name}/{key}"] = str(content["provenance"][key])
        for package, version in content["provenance"]["packages"].items():
            texts[f"{name}/version:{package}"] = version
        for key, entry in content["numbers"].items():
            base = f"{name}/{key}"
            texts[base] = format_value(entry)
            if "low" in entry:
                texts[f"{base}:interval"] = format_interval(entry)
                texts[f"{base}:n"] = f"{entry['n']:,}"
                texts[f"{base}:seeds"] = str(entry["seeds"])
    return texts


def _escape(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text)


def macros(results: dict[str, dict]) -> str:
    """The content of numbers.tex."""
    lines = [FIRST_LINE]
    for key, text in sorted(number_texts(results).items()):
        name = f"\\csname number:{key}\\endcsname"
        lines.append(f"\\expandafter\\def{name}{{{_escape(text)}}}")
    return "\n".join(lines) + "\n"


def used_keys(report_source: str) -> set[str]:
    r"""The keys that a LaTeX text asks for with \result{...} or \interval{...}."""
    keys = set()
    for match in USED.finditer(report_source):
        if "#" not in match[1]:
            suffix = ":interval" if match[0].startswith("\\interval") else ""
            keys.add(match[1] + suffix)
    return keys


def write_macros(results: Path, report_source: str, path: Path) -> Path:
    """Write numbers.tex from the results folder.

    Raises:
        UserError: the report asks for a number that was never recorded.
    """
    recorded = read_results(results)
    missing = sorted(used_keys(report_source) - number_texts(recorded).keys())
    if missing:
        raise UserError(
            f"the report asks for {len(missing)} numbers that are not recorded in "
            f"{results}: {', '.join(missing[:5])}; run the notebooks of this profile "
            "first, or mend the key in report/report.tex"
        )
    return write_text(path, macros(recorded))


def results_table(results: dict[str, dict]) -> str:
    """The headline numbers that were recorded, as a Markdown table."""
    rows = [
        "| result | value | 95% interval | n | seeds | profile, backend |",
        "|---|---|---|---|---|---|",
    ]
    for key, label in HEADLINES.items():
        name, number = key.split("/")
        entry = results.get(name, {"numbers": {}})["numbers"].get(number)
        if entry is None:
            continue
        unit = f" {entry['unit']}" if entry.get("unit") else ""
        about = "| | 1"  # a value that was recorded alone
        if "low" in entry:
            about = f"{_known_interval(entry)} | {entry['n']:,} | {entry['seeds']}"
        origin = results[name]["provenance"]
        rows.append(
            f"| {label} | {format_value(entry)}{unit} | {about} "
            f"| {origin['profile']}, {origin['backend']} |"
        )
    return "\n".join(rows)
