"""Evaluation of a trained image model on images it never saw.

`evaluate` measures everything that a table shows, and is what notebook, experiments
and command line call. All functions return estimates by name; a value without an
interval of its own gets one of no width.
"""

import numpy as np

from latent_arithmetic.console import say
from latent_arithmetic.images.classifier import FeatureExtractor
from latent_arithmetic.images.dataset import ImageDataset, find_palette, to_unit
from latent_arithmetic.images.editing import (
    Edit,
    Editor,
    GroundTruthEdits,
    find_ground_truth,
    make_editors,
    possible_edits,
    undetectable_pairs,
)
from latent_arithmetic.images.metrics import (
    SSIM_WINDOW,
    attribute_frequency_errors,
    bits_per_dimension,
    diversity,
    duplicate_rates,
    mean_squared_errors,
    palette_fraction,
    psnr,
    sample_quality,
    ssim,
)
from latent_arithmetic.images.sampling import PRIORS, TrainedImageModel, active_units
from latent_arithmetic.images.vae import VAE
from latent_arithmetic.records import Estimate, fraction_of, mean_of_examples
from latent_arithmetic.training import predict_in_batches

FEWEST_TEST = 10  # test images with which the quality of samples can be measured
SAMPLE_SEED = 1
FRACTIONS = {"precision", "recall", "coverage", "palette_fraction"}
FRACTIONS |= {"classifier_precision", "classifier_recall"}

Estimates = dict[str, Estimate]


def evaluate(
    trained: TrainedImageModel,
    dataset: ImageDataset,
    extractor: FeatureExtractor,
    max_edits: int,
) -> Estimates:
    """Evaluate samples, edits and reconstructions of a trained image model.

    Returns:
        The estimates of `evaluate_samples` for the model's default prior, of
        `evaluate_editing`, of `evaluate_reconstruction`, of the samples of the other
        prior (with the prefix `normal_prior_` or `mixture_prior_`), and of
        `evaluate_classifier`, as far as each applies to the model and the images.
    """
    found = evaluate_samples(trained, dataset, extractor)
    if extractor.label_names:
        found |= evaluate_editing(trained, dataset, extractor, max_edits)
    if trained.has_encoder:
        found |= evaluate_reconstruction(trained, dataset)
        (other,) = set(PRIORS) - {trained.default_prior}
        samples = evaluate_samples(trained, dataset, extractor, other)
        found |= {f"{other}_prior_{name}": value for name, value in samples.items()}
    if extractor.label_names:
        found |= evaluate_classifier(extractor, dataset)
    return found


def evaluate_reconstruction(
    trained: TrainedImageModel, dataset: ImageDataset
) -> Estimates:
    """Evaluate reconstructions of the test images.

    Returns:
        `psnr` (dB), `ssim` (for images of at least 11 pixels), `mse`,
        `psnr_of_mean_image` (what the mean training image scores, as a baseline) and
        `latent_dim`; for a VAE also `active_units`, and `bits_per_dimension`, its
        bound on the negative log-likelihood.
    """
    test = dataset.test
    reconstructions = trained.reconstruct(test)
    mean_image = dataset.train.mean(axis=0).round().astype(np.uint8)
    baseline = np.broadcast_to(mean_image, test.shape)
    found = {"psnr": mean_of_examples(psnr(test, reconstructions), unit="dB")}
    if dataset.size >= SSIM_WINDOW:
        found["ssim"] = mean_of_examples(ssim(test, reconstructions))
    found |= {
        "mse": mean_of_examples(mean_squared_errors(test, reconstructions)),
        "psnr_of_mean_image": mean_of_examples(psnr(test, baseline), unit="dB"),
        "latent_dim": trained.model.latent_dim,
    }
    if isinstance(trained.model, VAE):
        found["active_units"] = active_units(trained.encode(dataset.validation))
        found["bits_per_dimension"] = mean_of_examples(
            _bits_per_dimension(trained.model, test, dataset.test_labels)
        )
    return _as_estimates(found, dataset)


def training_targets(model, images: np.ndarray, labels: np.ndarray) -> dict:
    """What a model gets as `y` beside uint8 images: "palette_indices" and
    "attributes", as far as it uses them; labels: bool [n, attributes]."""
    targets, palette = {}, getattr(model, "palette_likelihood", None)
    if palette:
        targets["palette_indices"] = palette.indices(images)
    if model.n_attributes:
        targets["attributes"] = labels
    return targets


def _bits_per_dimension(
    model: VAE, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """The negative ELBO of each image in bits per pixel value, given its attributes
    if the model is conditional. Doubled pixels count once with a palette."""
    palette, targets = model.palette_likelihood, training_targets(model, images, labels)

    def negative_elbo(part, *values):
        y = dict(zip(targets, values, strict=True))
        return model.negative_elbo(to_unit(part), y)

    nats = predict_in_batches(negative_elbo, images, *targets.values())
    block_size = palette.block_size if palette else 1
    height, width = (side // block_size for side in images.shape[1:3])
    return bits_per_dimension(nats, (height, width, 3), discrete=palette is not None)


def evaluate_samples(
    trained: TrainedImageModel,
    dataset: ImageDataset,
    extractor: FeatureExtractor,
    prior: str | None = None,
    seed: int = 0,
) -> Estimates:
    """Evaluate as many samples as there are test images.

    Args:
        prior: "normal" or "mixture"; the model's default prior unless given.
        seed: of the choices that metrics make, see `sample_quality`.

    Returns:
        `sample_quality`, `duplicate_rates`, `diversity`; with a palette
        `palette_fraction`; if the extractor predicts attributes,
        `attribute_frequency_error` and `attribute_pair_frequency_error`; each beside
        its `_reference`, the value of the test images. None of these if there are
        fewer than 10 test images. `duplicate_rate_before_rejection`: how often a
        first sample equals a training image and is rejected.
    """
    n, prior = len(dataset.test), prior or trained.default_prior
    first = trained.decode(trained.sample_latents(n, SAMPLE_SEED, prior=prior))
    samples = trained.generate(n, SAMPLE_SEED, prior=prior)
    found = {}
    if n < FEWEST_TEST:
        say(f"{n} test images are too few to measure the quality of samples with")
    else:
        found = _compare_samples(samples, dataset, extractor, seed)
    duplicates = trained.is_training_duplicate(first)
    found["duplicate_rate_before_rejection"] = fraction_of(duplicates)
    return _as_estimates(found, dataset)


def _compare_samples(samples, dataset, extractor, seed) -> dict:
    chosen = np.random.default_rng(seed).permutation(len(dataset.train))
    reference = dataset.train[chosen[: len(dataset.test)]]
    sets = reference, dataset.test, samples
    found = sample_quality(*map(extractor.features, sets), seed=seed)
    step = 2 if dataset.pixel_doubled else 1  # the same distances, in less time
    parts = (part[:, ::step, ::step] for part in (dataset.train, *sets[1:]))
    found |= duplicate_rates(*parts)
    found["diversity"] = diversity(samples)
    found["diversity_reference"] = diversity(dataset.test)
    palette = find_palette(dataset.train)
    if palette is not None:
        found["palette_fraction"] = palette_fraction(samples, palette)
        found["palette_fraction_reference"] = palette_fraction(dataset.test, palette)
    if extractor.label_names:
        predicted = [extractor.predict_attributes(part) for part in sets]
        for end, labels in (("", predicted[2]), ("_reference", predicted[1])):
            single, pair = attribute_frequency_errors(predicted[0], labels)
            found[f"attribute_frequency_error{end}"] = single
            found[f"attribute_pair_frequency_error{end}"] = pair
    return found


def evaluate_classifier(
    extractor: FeatureExtractor, dataset: ImageDataset
) -> Estimates:
    """Evaluate the attribute classifier on the test images.

    Returns:
        `classifier_exact_match`: all attributes correct. `classifier_precision` and
        `classifier_recall`: over all attributes of all images.
    """
    predicted, labels = extractor.predict_attributes(dataset.test), dataset.test_labels
    both = (predicted & labels).sum()
    exact = (predicted == labels).all(axis=1)
    found = {
        "classifier_exact_match": fraction_of(exact),
        "classifier_precision": float(both / max(predicted.sum(), 1)),
        "classifier_recall": float(both / max(labels.sum(), 1)),
    }
    return _as_estimates(found, dataset)


def evaluate_editing(
    trained: TrainedImageModel,
    dataset: ImageDataset,
    extractor: FeatureExtractor,
    max_edits: int,
) -> Estimates:
    """Evaluate edits of test images, by each of the model's editors.

    The classifier's predictions for the test images count as their attributes. A GAN
    edits samples with the labels of the test images, which count instead. Where the
    data set holds the exact result of an edit, an autoencoder's is compared with it.

    Returns:
        `edit_<editor>_<metric>`, with the editors of `make_editors` and the metrics
        of `edit_success` and `exact_match`; nothing if no edit is possible, see
        `possible_edits`.
    """
    labels, test_labels = dataset.train_labels, dataset.test_labels
    edits, estimates = possible_edits(labels, test_labels, max_edits), {}
    if not edits:
        return {}
    present, ground_truth = test_labels, None
    if trained.has_encoder:
        present = extractor.predict_attributes(dataset.test)
        ground_truth = find_ground_truth(dataset)
    undetectable = undetectable_pairs(
        extractor.predict_attributes(dataset.train), labels
    )
    unedited = {}  # attributes predicted of reconstructions, by their codes
    for name, editor in make_editors(trained, dataset).items():
        key = id(editor.codes)
        if key not in unedited:
            decoded = trained.decode(editor.codes)
            unedited[key] = extractor.predict_attributes(decoded)
        found = edit_success(
            trained, extractor, editor, edits, present, unedited[key], undetectable
        )
        if ground_truth:
            found |= exact_match(trained, editor, ground_truth)
        estimates |= {f"edit_{name}_{metric}": x for metric, x in found.items()}
    return estimates


def edit_success(
    trained: TrainedImageModel,
    extractor: FeatureExtractor,
    editor: Editor,
    edits: list[Edit],
    present: np.ndarray,
    unedited: np.ndarray,
    undetectable: np.ndarray,
) -> Estimates:
    """How often edits succeed, by the attribute classifier.

    Args:
        present: attributes that count as present before, bool [n, attributes].
        unedited: those the classifier predicts for decoded, unedited codes, likewise.
        undetectable: of `undetectable_pairs`, for the classifier.

    Returns:
        `attribute_present`: the added attribute is. `others_unchanged`: all others
        are as before, but for those removed. `success_rate`: both.
        `reconstruction_unchanged`: a reconstruction without an edit has the attributes
        present before, an upper bound. `success_rate_detectable`: success among the
        edits that can be detected, if there are any.
    """
    chosen = [edit.image for edit in edits]
    present, unedited = present[chosen], unedited[chosen]
    pairs = list(zip(edits, present, strict=True))
    targets = np.stack([edit.target(labels) for edit, labels in pairs])
    detectable = [edit.is_detectable(labels, undetectable) for edit, labels in pairs]
    edited = extractor.predict_attributes(trained.decode(editor.apply(edits)))
    correct = edited == targets
    rows, columns = np.arange(len(edits)), [edit.added for edit in edits]
    added = correct[rows, columns]
    correct[rows, columns] = True
    kept = correct.all(axis=1)
    success = added & kept
    return _fractions(
        attribute_present=added,
        others_unchanged=kept,
        success_rate=success,
        reconstruction_unchanged=(unedited == present).all(axis=1),
        success_rate_detectable=success[np.array(detectable)],
    )


def exact_match(
    trained: TrainedImageModel, editor: Editor, ground_truth: GroundTruthEdits
) -> Estimates:
    """How often an edit's result equals the ground truth in every pixel.

    Returns:
        `exact_match_rate`, and `exact_match_rate_unseen` of the targets that are not
        training images; nothing if there are none.
    """
    if not ground_truth.edits:
        return {}
    edited = trained.decode(editor.apply(ground_truth.edits))
    exact = (edited == ground_truth.targets).all(axis=(1, 2, 3))
    unseen = exact[ground_truth.unseen]
    return _fractions(exact_match_rate=exact, exact_match_rate_unseen=unseen)


def _fractions(**hits: np.ndarray) -> Estimates:
    return {name: fraction_of(some) for name, some in hits.items() if len(some)}


def _as_estimates(values: dict, dataset: ImageDataset) -> Estimates:
    n = len(dataset.test)
    estimates = {}
    for name, value in values.items():
        if not isinstance(value, Estimate):
            is_fraction = name.removesuffix("_reference") in FRACTIONS
            unit = "fraction" if is_fraction else ""
            value = Estimate(float(value), float(value), float(value), n, unit=unit)
        estimates[name] = value
    return estimates
