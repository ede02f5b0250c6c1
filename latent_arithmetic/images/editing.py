"""Attribute editing: arithmetic with latent vectors that adds an attribute.

Which edits make sense, how latent vectors are edited, and for which edits the data set
holds the ground truth. How often edits succeed is measured in `evaluate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latent_arithmetic.images.dataset import ImageDataset
from latent_arithmetic.images.sampling import TrainedImageModel
from latent_arithmetic.io import expect_one_of

METHODS = ("least_squares", "class_means")
RIDGE = 1.0  # regularization: shrinks the vectors of the rarest attributes
EXPECTED_TOGETHER = 5.0  # training images with both, so that none means something
FEWEST = 80  # training images with an attribute that is added
TRIES = 50  # draws for each edit
ITERATIONS = 2  # corrections of an iterative edit; a third changes little
SAMPLE_SEED = 1  # of the GAN samples that are edited


def attribute_vectors(
    codes: np.ndarray, labels: np.ndarray, method: str = "least_squares"
) -> np.ndarray:
    """What each attribute adds to a latent vector: float32 [attributes, latent_dim].

    Args:
        codes: of training images, [n, latent_dim].
        labels: their attributes, bool [n, attributes].
        method: "class_means": the mean code of images with the attribute minus that of
            the others, which includes whatever else goes together with it.
            "least_squares": ridge regression of the codes on all attributes at once,
            so that each vector holds its own attribute's contribution only.
    """
    expect_one_of("method", method, METHODS)
    if method == "class_means":
        labels = labels.astype(np.float64)
        positive = labels / np.maximum(labels.sum(axis=0), 1)
        negative = (1 - labels) / np.maximum((1 - labels).sum(axis=0), 1)
        return ((positive - negative).T @ codes).astype(np.float32)
    from sklearn.linear_model import Ridge

    return Ridge(RIDGE).fit(labels, codes).coef_.T.astype(np.float32)


@dataclass(frozen=True)
class Edit:
    """One edit of one image: an attribute is added, those it excludes are removed.

    Args:
        image: index of the image.
        added: index of the attribute that is added.
        removed: indices of the image's attributes that exclude the added one.
    """

    image: int
    added: int
    removed: tuple[int, ...]

    def direction(self, vectors: np.ndarray) -> np.ndarray:
        """What to add to the image's latent vector: [dimensions]."""
        return vectors[self.added] - vectors[list(self.removed)].sum(axis=0)

    def target(self, labels: np.ndarray) -> np.ndarray:
        """The attributes after the edit, from those before: bool [attributes]."""
        after = labels.copy()
        after[self.added] = True
        after[list(self.removed)] = False
        return after

    def is_detectable(self, labels: np.ndarray, undetectable: np.ndarray) -> bool:
        """Whether a classifier detects the added attribute beside those that remain,
        and them beside it.

        Args:
            labels: the attributes before the edit, bool [attributes].
            undetectable: of `undetectable_pairs`.
        """
        either = undetectable[self.added] | undetectable[:, self.added]
        return not (either & self.target(labels)).any()


@dataclass(frozen=True)
class Editor:
    """Edits latent vectors by adding attribute vectors.

    Args:
        codes: latent vectors of the images that may be edited, [n, dimensions].
        vectors: what each attribute adds, [attributes, dimensions].
    """

    codes: np.ndarray
    vectors: np.ndarray

    def apply(self, edits: Sequence[Edit]) -> np.ndarray:
        """The edited latent vectors: [edits, dimensions]."""
        directions = np.stack([edit.direction(self.vectors) for edit in edits])
        return self.codes[[edit.image for edit in edits]] + directions


@dataclass(frozen=True)
class IterativeEditor(Editor):
    """Edits, encodes the result and corrects it, twice.

    The encoder of a conditional VAE predicts the attributes of the edited image. What
    is missing is added once more, and what should not be there is subtracted.

    Args:
        trained: the VAE.
        predicted: the attributes its encoder predicts for the images that may be
            edited, bool [n, attributes].
        undetectable: of `undetectable_pairs`, for the encoder. Such attributes are
            not corrected: an earring must not be added on top of long hair.
    """

    trained: TrainedImageModel
    predicted: np.ndarray
    undetectable: np.ndarray

    def apply(self, edits: Sequence[Edit]) -> np.ndarray:
        """The edited latent vectors: [edits, dimensions]."""
        codes = super().apply(edits)
        targets = np.stack([edit.target(self.predicted[edit.image]) for edit in edits])
        left_alone = targets @ self.undetectable.T
        for _ in range(ITERATIONS):
            found = self.trained.predict_attributes(self.trained.decode(codes))
            errors = np.where(left_alone, 0, targets.astype(int) - found)
            codes = codes + (errors @ self.vectors).astype(np.float32)
        return codes


def make_editors(
    trained: TrainedImageModel, dataset: ImageDataset
) -> dict[str, Editor]:
    """The ways in which a model can edit test images.

    Returns:
        With an encoder: `least_squares` and `class_means`, which are given the
        labels of training images. If the model is conditional also
        `attribute_embedding`, its own vectors; `iterative`, with corrections; and
        `given_attributes`, which is given the labels of the test images in place
        of predicted attributes. A conditional GAN, which has no
        encoder, edits samples that have the test images' attributes.
    """
    own = trained.attribute_embeddings() if trained.n_attributes else None
    if not trained.has_encoder:
        if own is None:
            return {}
        wanted = dataset.test_labels
        codes = trained.sample_latents(len(wanted), SAMPLE_SEED, attributes=wanted)
        return {"attribute_embedding": Editor(codes, own)}
    codes, train_codes = trained.encode(dataset.test), trained.encode(dataset.train)
    editors = {}
    for method in METHODS:
        vectors = attribute_vectors(train_codes, dataset.train_labels, method)
        editors[method] = Editor(codes, vectors)
    if own is not None:
        undetectable = undetectable_pairs(
            trained.predict_attributes(dataset.train), dataset.train_labels
        )
        predicted = trained.predict_attributes(dataset.test)
        given = trained.encode(dataset.test, dataset.test_labels)
        editors["attribute_embedding"] = Editor(codes, own)
        editors["iterative"] = IterativeEditor(
            codes, own, trained, predicted, undetectable
        )
        editors["given_attributes"] = Editor(given, own)
    return editors


def type_attributes(labels: np.ndarray) -> np.ndarray:
    """Attributes of which every image has exactly one, such as man, woman or zombie.

    The most frequent attribute is the first of them, then the most frequent that never
    occurs together with it, and so on. If some image ends up with none, there are no
    such attributes.

    Args:
        labels: bool [n, attributes].

    Returns:
        bool [attributes].
    """
    found, left = np.zeros(labels.shape[1], bool), np.ones(len(labels), bool)
    for column in np.argsort(-labels.sum(axis=0), kind="stable"):
        if left.any() and not labels[~left, column].any():
            found[column] = True
            left &= ~labels[:, column]
    return found & ~left.any()


def possible_edits(
    train_labels: np.ndarray, labels: np.ndarray, count: int, seed: int = 0
) -> list[Edit]:
    """`count` edits of images with `labels`, drawn evenly over all attributes.

    Two attributes exclude each other if at least `EXPECTED_TOGETHER` training images
    should have both by chance and none has. Not drawn are attributes that fewer than
    `FEWEST` training images have, pairs that are too rare to tell, and edits that
    take away an image's type without giving it another (see `type_attributes`).
    """
    is_type = type_attributes(train_labels)
    train_labels = train_labels.astype(np.float64)
    together, count_of = train_labels.T @ train_labels, train_labels.sum(axis=0)
    expected = np.outer(count_of, count_of) / len(train_labels)
    never = together == 0
    exclusive = never & (expected >= EXPECTED_TOGETHER)
    unclear = never & (expected < EXPECTED_TOGETHER)
    addable = np.flatnonzero(count_of >= FEWEST)
    generator, found = np.random.default_rng(seed), []
    for _ in range(TRIES * count):
        if len(found) == count or not len(addable):
            break
        image, added = generator.integers(len(labels)), generator.choice(addable)
        before = labels[image]
        if before[added] or (unclear[added] & before).any():
            continue
        removed = np.flatnonzero(exclusive[added] & before)
        if is_type[removed].any() and not is_type[added]:
            continue
        found.append(Edit(int(image), int(added), tuple(removed.tolist())))
    return found


def undetectable_pairs(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Attributes that a classifier misses beside others: bool [missed, beside which].

    A pair counts if the attribute is predicted for fewer than half of the real images
    that have both: it is covered, as an earring by a hood, or the classifier fails.

    Args:
        predicted, labels: of the same real images, bool [n, attributes].
    """
    labels = labels.astype(np.float64)
    both, detected = labels.T @ labels, (labels * predicted).T @ labels
    undetectable = (both >= EXPECTED_TOGETHER) & (detected < both / 2)
    np.fill_diagonal(undetectable, False)
    return undetectable


@dataclass(frozen=True)
class GroundTruthEdits:
    """Edits of test images whose exact result is a real image of the data set.

    Args:
        edits: n edits that add one attribute.
        targets: the real images, uint8 [n, size, size, 3].
        unseen: whether the target is not a training image, bool [n].
    """

    edits: list[Edit]
    targets: np.ndarray
    unseen: np.ndarray


def find_ground_truth(dataset: ImageDataset) -> GroundTruthEdits:
    """Find real images that have all attributes of a test image and one more.

    What the attributes leave open has to agree as well. For CryptoPunks that is the
    skin, which shows in the lowest row that varies. If two images share attributes and
    that row, these do not determine an image, and nothing is found; photographs hardly
    ever share a row, so nothing is found either.
    """
    parts = (dataset.train, dataset.validation, dataset.test)
    labels = (dataset.train_labels, dataset.validation_labels, dataset.test_labels)
    attributes = np.concatenate(labels).astype(bool)
    varies = (dataset.train != dataset.train[0]).any(axis=(0, 2, 3))
    row = np.flatnonzero(varies)[-1]
    rows = np.concatenate([part[:, row] for part in parts])
    keys = [(a.tobytes(), b.tobytes()) for a, b in zip(attributes, rows, strict=True)]
    first_test = len(keys) - len(dataset.test)
    determined = len(set(keys)) == len(keys)

    tested = {key: index for index, key in enumerate(keys[first_test:])}
    edits, targets = [], []
    for index, present in enumerate(attributes if determined else ()):
        for added in np.flatnonzero(present):
            without = present.copy()
            without[added] = False
            image = tested.get((without.tobytes(), keys[index][1]))
            if image is not None:
                edits.append(Edit(image, int(added), ()))
                targets.append(index)
    unseen = np.array(targets, int) >= len(dataset.train)
    found = np.concatenate(parts)[targets] if targets else dataset.test[:0]
    return GroundTruthEdits(edits, found, unseen)
