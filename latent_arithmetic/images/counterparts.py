"""Arithmetic held against the truth: changed pictures that exist.

A judge may overlook what was added. Where the collection holds the very picture that
a change asks for, the result can be compared with it, pixel by pixel.
"""

from dataclasses import dataclass

import numpy as np

from latent_arithmetic.images.data.datasets import Pictures
from latent_arithmetic.images.directions import Arithmetic, Change
from latent_arithmetic.images.trained import Trained
from latent_arithmetic.results import Number, share_of


@dataclass(frozen=True)
class Counterparts:
    """Changes of test pictures, and the real pictures that they ask for.

    changes: n, of one attribute that is added. real: uint8 [n, size, size, 3].
    unseen: whether that picture is no training picture either, bool [n].
    """

    changes: list[Change]
    real: np.ndarray
    unseen: np.ndarray


def find_counterparts(pictures: Pictures) -> Counterparts:
    """Real pictures that have all attributes of a test picture and one more.

    What attributes leave open has to agree as well, or nothing could be expected to
    become the other. Of punks that is the skin, which shows at the neck: in the lowest
    row that is not always the same. Where two pictures share attributes and that row,
    these do not settle a picture, and there are no counterparts; photographs hardly
    ever share a row, and have none either.
    """
    parts = (pictures.train, pictures.validation, pictures.test)
    labels = (pictures.train_labels, pictures.validation_labels, pictures.test_labels)
    worn = np.concatenate(labels).astype(bool)
    varies = (pictures.train != pictures.train[0]).any(axis=(0, 2, 3))
    neck = np.flatnonzero(varies)[-1]
    necks = np.concatenate([part[:, neck] for part in parts])
    looks = [_look(*both) for both in zip(worn, necks, strict=True)]
    first_test = len(looks) - len(pictures.test)
    settled = len(set(looks)) == len(looks)

    tested = {look: number for number, look in enumerate(looks[first_test:])}
    changes, real = [], []
    for number, attributes in enumerate(worn if settled else ()):
        for added in np.flatnonzero(attributes):
            without = attributes.copy()
            without[added] = False
            picture = tested.get(_look(without, necks[number]))
            if picture is not None:
                changes.append(Change(picture, int(added), ()))
                real.append(number)
    unseen = np.array(real, int) >= len(pictures.train)
    found = np.concatenate(parts)[real] if real else pictures.test[:0]
    return Counterparts(changes, found, unseen)


def _look(attributes: np.ndarray, neck: np.ndarray) -> tuple[bytes, bytes]:
    """What settles a picture."""
    return attributes.tobytes(), neck.tobytes()


def measure_counterparts(
    trained: Trained, counterparts: Counterparts, arithmetic: Arithmetic
) -> dict[str, Number]:
    """How often a changed picture is the real one in every single pixel.

    arithmetic: with the codes of all test pictures.

    Returns: ``exact``, and ``exact-unseen`` of those that are no training pictures;
        nothing, if there are none.
    """
    if not counterparts.changes:
        return {}
    drawn = trained.decode(arithmetic.apply(counterparts.changes))
    exact = (drawn == counterparts.real).all(axis=(1, 2, 3))
    found = {"exact": exact, "exact-unseen": exact[counterparts.unseen]}
    return {name: share_of(values) for name, values in found.items() if len(values)}
