"""Arithmetic with codes: what to add to a picture's code to add an attribute."""

from dataclasses import dataclass

import numpy as np

from latent_arithmetic.errors import expect_one_of
from latent_arithmetic.images.quality.features import FeatureMap
from latent_arithmetic.images.trained import Trained
from latent_arithmetic.results import Number, share_of

RIDGE = 1.0  # pictures' worth of shrinking for the rarest attributes
METHODS = ("regression", "means")
EXPECTED = 5.0  # training pictures with both, so that none means something
FEWEST = 80  # training pictures with an attribute that is asked for
TRIES = 50


def attribute_directions(
    codes: np.ndarray, labels: np.ndarray, method: str = "regression"
) -> np.ndarray:
    """What every attribute adds to a code: float32 [attributes, latent_dim].

    codes: [n, latent_dim] of training pictures. labels: bool [n, attributes].
    method: "means": the mean code of pictures with the attribute minus that of the
        others, with whatever else goes together with it (most beards are a man's).
        "regression": the codes explained by all attributes at once (least squares,
        slightly shrunk), so that each gets its own share only: woman with earring
        minus woman.
    """
    expect_one_of("method", method, METHODS)
    if method == "means":
        labels = labels.astype(np.float64)
        with_it = labels / np.maximum(labels.sum(axis=0), 1)
        without = (1 - labels) / np.maximum((1 - labels).sum(axis=0), 1)
        return ((with_it - without).T @ codes).astype(np.float32)
    from sklearn.linear_model import Ridge

    return Ridge(RIDGE).fit(labels, codes).coef_.T.astype(np.float32)


@dataclass(frozen=True)
class Change:
    """Give a picture an attribute: which picture, what is added, and what has to go.

    removed: numbers of the attributes that never go together with the added one.
    """

    picture: int
    added: int
    removed: tuple[int, ...]

    def arithmetic(self, directions: np.ndarray) -> np.ndarray:
        """What to add to the picture's code: [latent_dim]."""
        taken = directions[list(self.removed)].sum(axis=0)
        return directions[self.added] - taken

    def wanted(self, labels: np.ndarray) -> np.ndarray:
        """The attributes afterwards: bool [attributes]; labels are those before."""
        after = labels.copy()
        after[self.added] = True
        after[list(self.removed)] = False
        return after

    def can_be_seen(self, labels: np.ndarray, hidden: np.ndarray) -> bool:
        """Whether a judge sees what is added beside what is left, and the other way
        around; labels are those before, hidden as of ``hidden_pairs``."""
        either = hidden[self.added] | hidden[:, self.added]
        return not (either & self.wanted(labels)).any()


@dataclass(frozen=True)
class Arithmetic:
    """How pictures are changed: what is added to their codes.

    codes: [n, dimensions], of the pictures that may be changed. directions:
        [attributes, dimensions], what every attribute adds.
    """

    codes: np.ndarray
    directions: np.ndarray

    def apply(self, changes: list[Change]) -> np.ndarray:
        """The codes of changed pictures: [changes, dimensions]."""
        moves = [change.arithmetic(self.directions) for change in changes]
        return self.codes[[change.picture for change in changes]] + np.stack(moves)


def kinds(labels: np.ndarray) -> np.ndarray:
    """Attributes of which every picture has exactly one, such as man, woman or
    zombie: bool [attributes]; labels: bool [n, attributes].

    The most frequent one is one of them, then the most frequent that no picture has
    beside it, and so on; if that leaves pictures without, there are none.
    """
    found, left = np.zeros(labels.shape[1], bool), np.ones(len(labels), bool)
    for column in np.argsort(-labels.sum(axis=0), kind="stable"):
        if left.any() and not labels[~left, column].any():
            found[column] = True
            left &= ~labels[:, column]
    return found & ~left.any()


def possible_changes(
    train_labels: np.ndarray, labels: np.ndarray, count: int, seed: int = 0
) -> list[Change]:
    """``count`` changes to pictures with ``labels``, spread over all attributes.

    A hat takes the place of another hat: two attributes exclude each other if they
    were to be expected together in at least ``EXPECTED`` training pictures and never
    are. Attributes that are rarer than ``FEWEST`` are not asked for, nor are pairs
    that are too rare to tell, nor what would take a picture's kind away without
    giving it another: a beard that only men have makes no sense on a woman.
    """
    kind = kinds(train_labels)
    train_labels = train_labels.astype(np.float64)
    together = train_labels.T @ train_labels
    often = train_labels.sum(axis=0)
    expected = np.outer(often, often) / len(train_labels)
    never = together == 0
    exclusive, unclear = never & (expected >= EXPECTED), never & (expected < EXPECTED)
    addable = np.flatnonzero(often >= FEWEST)
    generator, found = np.random.default_rng(seed), []
    for _ in range(TRIES * count):
        if len(found) == count or not len(addable):
            break
        picture, added = generator.integers(len(labels)), generator.choice(addable)
        worn = labels[picture]
        if worn[added] or (unclear[added] & worn).any():
            continue
        removed = np.flatnonzero(exclusive[added] & worn)
        if kind[removed].any() and not kind[added]:
            continue
        found.append(Change(int(picture), int(added), tuple(removed.tolist())))
    return found


def hidden_pairs(seen: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which attributes are not seen beside others: bool [unseen, beside which].

    One is seen in fewer than half of the real pictures that have both: it is covered,
    as an earring by a hood, or whoever looks is blind to it there.

    seen: bool [n, attributes], in pictures with labels, bool [n, attributes].
    """
    labels = labels.astype(np.float64)
    both, shown = labels.T @ labels, (labels * seen).T @ labels
    hidden = (both >= EXPECTED) & (shown < both / 2)
    np.fill_diagonal(hidden, False)
    return hidden


def measure_arithmetic(
    trained: Trained,
    judge: FeatureMap,
    arithmetic: Arithmetic,
    changes: list[Change],
    present: np.ndarray,
    hidden: np.ndarray,
) -> dict[str, Number]:
    """How often arithmetic with codes does what it should, as the judge sees it.

    present: bool [n, attributes], what counts as being there before. hidden: as of
        ``hidden_pairs``.

    Returns: ``added``: the wanted attribute is seen. ``kept``: all others are as
        before, but for those taken away. ``success``: both. ``unchanged``: the pictures
        of the codes as they are show what is present, the ceiling.
        ``visible-success``: success among changes that can be seen, if there are any.
    """
    chosen = [change.picture for change in changes]
    present = present[chosen]
    pairs = list(zip(changes, present, strict=True))
    wanted = np.stack([change.wanted(labels) for change, labels in pairs])
    visible = np.array([change.can_be_seen(labels, hidden) for change, labels in pairs])
    right = judge.see(trained.decode(arithmetic.apply(changes))) == wanted
    rows, columns = np.arange(len(changes)), [change.added for change in changes]
    added = right[rows, columns]
    right[rows, columns] = True
    kept = right.all(axis=1)
    success = added & kept
    restored = judge.see(trained.decode(arithmetic.codes[chosen])) == present
    return {
        name: share_of(values)
        for name, values in (
            ("added", added),
            ("kept", kept),
            ("success", success),
            ("unchanged", restored.all(axis=1)),
            ("visible-success", success[visible]),
        )
        if len(values)
    }
