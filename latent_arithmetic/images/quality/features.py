"""Feature maps: a picture as a few hundred numbers, to compare collections by.

Distances between collections mean something only within one feature map; its name
and version go with every number.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.datasets import Pictures, to_unit
from latent_arithmetic.images.models.designs import Canvas
from latent_arithmetic.images.models.networks import build_conv_net
from latent_arithmetic.images.models.recipes import Recipe
from latent_arithmetic.images.trained import in_parts
from latent_arithmetic.profiles import Profile
from latent_arithmetic.runs import finished_run, read_run, save_run
from latent_arithmetic.training import Batches, train

WIDTH, N_FEATURES = 128, 128
RANDOM_SEED = 20_260_101
SCALED_BY = 2_000  # training pictures
CERTAIN = 0.5  # probability from which an attribute counts as seen


class Judge(keras.Model):
    """Sees yes/no attributes in pictures [n, height, width, 3] in [0, 1].

    ``features`` are what its last layer decides by; training minimises the binary
    cross-entropy, summed over attributes.
    """

    def __init__(self, canvas: Canvas, name: str = "judge"):
        super().__init__(name=name)
        brick = canvas.down(WIDTH, normalisation="batch", name="features")
        self.features = build_conv_net(
            output_units=N_FEATURES, output_activation="leaky_relu", **brick
        )
        self.decide = layers.Dense(canvas.attributes, name="decide")
        self.decide.build((None, N_FEATURES))
        self.built = True  # all parts are

    def call(self, x, training=False):
        """The logit of every attribute: [n, attributes]."""
        return self.decide(self.features(x, training=training))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        truth = ops.cast(y, y_pred.dtype)
        nats = keras.losses.binary_crossentropy(truth, y_pred, from_logits=True)
        return ops.mean(nats) * y_pred.shape[-1]


@dataclass(frozen=True)
class FeatureMap:
    """A frozen feature map.

    version: changes with every weight. scale: the features' root mean square on
        training pictures; they are divided by it. label_names: the attributes that
        it sees; empty for a random net.
    """

    name: str
    version: str
    network: keras.Model
    scale: float
    label_names: tuple[str, ...] = ()

    def features(self, images: np.ndarray) -> np.ndarray:
        """What uint8 pictures are made of: float32 [n, N_FEATURES], about 1 each."""
        return raw_features(self.network, images) / self.scale

    def see(self, images: np.ndarray) -> np.ndarray:
        """Which attributes uint8 pictures have: bool [n, attributes].

        Raises:
            UserError: a random net sees none.
        """
        if not self.label_names:
            raise UserError(f"{self.name} features see no attributes")
        logits = in_parts(lambda part: self.network(to_unit(part)), images)
        return logits > np.log(CERTAIN / (1 - CERTAIN))


def feature_map(pictures: Pictures, folder: Path, profile: Profile) -> FeatureMap:
    """A judge of the pictures' attributes, trained on their training part (or loaded
    from ``folder`` if it is there); a random net for pictures without attributes."""
    canvas = Canvas(
        pictures.size,
        pictures.has_doubled_pixels,
        attributes=len(pictures.label_names),
    )
    if not pictures.label_names:
        name, network = "random net", random_network(canvas)
    else:
        settings = {
            "canvas": asdict(canvas),
            "labels": list(pictures.label_names),
            "content": pictures.content,
            **asdict(profile.judge),
        }
        if not finished_run(folder, "judge", settings):
            _train_judge(folder, canvas, pictures, profile, settings)
        name = "attribute judge"
        network = read_run(folder).load_weights(Judge(canvas))
    found = raw_features(network, pictures.train[:SCALED_BY])
    scale = float(np.sqrt(np.square(found).mean()))
    return FeatureMap(name, version_of(network), network, scale, pictures.label_names)


def _train_judge(folder, canvas, pictures, profile, settings) -> None:
    keras.utils.set_random_seed(0)
    judge, budget = Judge(canvas), profile.judge
    arrays = (to_unit(pictures.train), pictures.train_labels)
    batches = Batches(arrays, budget.batch_size)
    Recipe(Judge).compile(judge, budget.learning_rate, budget.epochs * len(batches))
    history = train(
        judge,
        batches,
        epochs=budget.epochs,
        title="judge of attributes",
        folder=folder,
        settings=settings,
    )
    save_run(
        folder,
        judge,
        task="judge",
        settings=settings,
        history=history,
        profile=profile.name,
    )


def random_network(canvas: Canvas) -> keras.Model:
    """A conv net with fixed random weights: it sees shapes and colours of any
    pictures, has nothing to learn, and is the same on every backend."""
    network = build_conv_net(output_units=N_FEATURES, **canvas.down(WIDTH))
    generator = np.random.default_rng(RANDOM_SEED)
    for weight in network.trainable_variables:
        fan_in = np.prod(weight.shape[:-1])
        spread = np.sqrt(2 / fan_in) if len(weight.shape) > 1 else 0.0
        weight.assign(generator.normal(0, spread, weight.shape))
    return network


def raw_features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """A network's features of uint8 pictures: [n, N_FEATURES]."""
    network = getattr(network, "features", network)
    return in_parts(lambda part: network(to_unit(part)), images)


def version_of(network: keras.Model) -> str:
    """A short fingerprint of all weights."""
    digest = hashlib.sha256()
    for value in network.get_weights():
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()[:8]
