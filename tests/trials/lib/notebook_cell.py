"""What the notebook's cell does with DATA, and what came of it, as lines to grep.

notebook_cell.py PATH [SIZE]; EACH=1 also prints the mean of every image by name.
"""

import os
import sys


def main(path: str, size: int = 64) -> int:
    from latent_arithmetic.images import dataset as datasets
    from latent_arithmetic.io import UserError

    try:
        if os.environ.get("EACH"):
            images, report = datasets.read_images(path, size)
            for name, image in zip(report.names, images, strict=True):
                print(f"EACH {name!r} {image.mean():.1f}")
        dataset = datasets.load_images(path, size, limit=192)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(dataset.report)
    parts = dataset.train, dataset.validation, dataset.test
    values = __import__("numpy").concatenate(parts)
    print(f"LOADED={len(values)}\nSKIPPED={len(dataset.report.skipped)}")
    print(f"LABELS={len(dataset.label_names)}")
    print(f"PALETTE={datasets.image_spec(dataset).palette_size}")
    print("NAMES=" + "|".join(dataset.label_names[:12]))
    print(f"MEAN={values.mean():.1f}\nSTD={values.std():.1f}")
    print(f"LOW={values.min()}\nHIGH={values.max()}")
    red, green, blue = values.mean(axis=(0, 1, 2))
    print(f"RED={red:.1f}\nGREEN={green:.1f}\nBLUE={blue:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:3])))
