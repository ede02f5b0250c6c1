"""Attribute classifier, and the features in which image sets are compared.

Distances between image sets are comparable only within one feature extractor, so its
name and version are recorded with every value.
"""

import hashlib
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.config import Profile
from latent_arithmetic.images.dataset import ImageDataset, ImageSpec, to_unit
from latent_arithmetic.images.networks import build_conv_net
from latent_arithmetic.images.presets import (
    ImageModelConfig,
    compile_model,
    conv_arguments,
)
from latent_arithmetic.io import UserError
from latent_arithmetic.runs import read_run, save_run, train_once
from latent_arithmetic.training import Batches, fit, predict_in_batches

TASK = "attribute-classifier"
N_FEATURES = 128
CONFIG = ImageModelConfig(channels=128)
RANDOM_SEED = 20_260_101  # of the weights that are not trained
SCALED_BY = 2_000  # training images that the features' scale is taken from


class AttributeClassifier(keras.Model):
    """Predicts the binary attributes of images [n, height, width, 3] in [0, 1].

    Trained on the binary cross-entropy, summed over attributes. `features` is the
    network before its last layer.
    """

    def __init__(self, spec: ImageSpec, name: str = "attribute_classifier"):
        super().__init__(name=name)
        arguments = conv_arguments(CONFIG, spec, normalization="batch", name="features")
        self.features = build_conv_net(
            output_units=N_FEATURES, output_activation="leaky_relu", **arguments
        )
        self.dense = layers.Dense(spec.n_attributes, name="logits")
        self.dense.build((None, N_FEATURES))
        self.built = True  # both parts are

    def call(self, x, training=False):
        """The logit of each attribute: [n, attributes]."""
        return self.dense(self.features(x, training=training))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        labels = ops.cast(y, y_pred.dtype)
        losses = keras.losses.binary_crossentropy(labels, y_pred, from_logits=True)
        return ops.mean(losses) * y_pred.shape[-1]


@dataclass(frozen=True)
class FeatureExtractor:
    """A frozen network whose outputs are the features of images.

    Args:
        name: what the network was trained for.
        version: fingerprint of its weights.
        network: an `AttributeClassifier`, or a network with random weights.
        scale: root mean square of the features of training images; features are
            divided by it.
        label_names: the attributes that it predicts; none if its weights are random.
    """

    name: str
    version: str
    network: keras.Model
    scale: float
    label_names: tuple[str, ...] = ()

    def features(self, images: np.ndarray) -> np.ndarray:
        """Features of uint8 images, about 1 each: float32 [n, 128]."""
        return _raw_features(self.network, images) / self.scale

    def predict_attributes(self, images: np.ndarray) -> np.ndarray:
        """Attributes with a probability above 0.5 in uint8 images: bool [n, k]."""
        if not self.label_names:
            raise UserError(
                f"features of a {self.name} predict no attributes; expected images "
                "with labels"
            )
        return predict_in_batches(lambda x: self.network(to_unit(x)), images) > 0


def feature_extractor(
    dataset: ImageDataset, folder: Path, profile: Profile
) -> FeatureExtractor:
    """An attribute classifier, trained on the training images or loaded from `folder`.

    For images without labels, a network with random weights that are always the same.
    """
    spec = ImageSpec(dataset.size, dataset.pixel_doubled, 0, len(dataset.label_names))
    if dataset.label_names:
        name = "attribute classifier"
        network = _trained_classifier(spec, dataset, folder, profile)
    else:
        name, network = "random CNN", random_network(spec)
    found = _raw_features(network, dataset.train[:SCALED_BY])
    scale = float(np.sqrt(np.square(found).mean()))
    return FeatureExtractor(
        name, _version(network), network, scale, dataset.label_names
    )


def _trained_classifier(
    spec: ImageSpec, dataset: ImageDataset, folder: Path, profile: Profile
) -> AttributeClassifier:
    schedule = profile.attribute_classifier
    config = {
        "image_spec": asdict(spec),
        "label_names": list(dataset.label_names),
        "content": dataset.content,
        **asdict(schedule),
    }
    train_once(
        folder,
        TASK,
        config,
        partial(_train_classifier, spec, dataset, folder, profile, config),
    )
    return read_run(folder).load_weights(AttributeClassifier(spec))


def _train_classifier(
    spec: ImageSpec, dataset: ImageDataset, folder: Path, profile: Profile, config: dict
) -> None:
    schedule = profile.attribute_classifier
    keras.utils.set_random_seed(0)
    classifier = AttributeClassifier(spec)
    batches = Batches(
        (to_unit(dataset.train), dataset.train_labels), schedule.batch_size
    )
    compile_config = ImageModelConfig(learning_rate=schedule.learning_rate)
    compile_model(classifier, compile_config, schedule.epochs * len(batches))
    history = fit(
        classifier,
        batches,
        epochs=schedule.epochs,
        title="attribute classifier",
        folder=folder,
        config=config,
    )
    save_run(
        folder,
        classifier,
        task=TASK,
        config=config,
        history=history,
        profile=profile.name,
    )


def random_network(spec: ImageSpec) -> keras.Model:
    """A convolutional network with fixed random weights, the same on every backend."""
    arguments = conv_arguments(CONFIG, spec)
    network = build_conv_net(output_units=N_FEATURES, **arguments)
    generator = np.random.default_rng(RANDOM_SEED)
    for weight in network.trainable_variables:
        fan_in = np.prod(weight.shape[:-1])
        deviation = np.sqrt(2 / fan_in) if len(weight.shape) > 1 else 0.0
        weight.assign(generator.normal(0, deviation, weight.shape))
    return network


def _raw_features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    network = getattr(network, "features", network)
    return predict_in_batches(lambda x: network(to_unit(x)), images)


def _version(network: keras.Model) -> str:
    digest = hashlib.sha256()
    for value in network.get_weights():
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()[:8]
