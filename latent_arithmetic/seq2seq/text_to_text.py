"""Text to text: the encoder-decoders that answer a query written as text.

Modular image-to-text and text-to-image contain such a model, frozen, that was trained
on the same queries and no others; end-to-end image-to-text does not.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops

from latent_arithmetic.config import FULL, Profile, setting
from latent_arithmetic.seq2seq.layers import OneHot, Stack, build_encoder_decoder
from latent_arithmetic.seq2seq.queries import QueryConfig, encode_queries

PREDICT_BATCH = 500  # examples
SHUFFLE_SEED = 1  # of the one order of characters of `query_order` "shuffled"


@dataclass(frozen=True)
class TextToTextConfig(QueryConfig):
    """All hyperparameters of a text-to-text model.

    The model is given one-hot characters and nothing else; with `answer_order`
    "units-first" its decoder writes the units of an answer first.

    Raises:
        UserError: a value is not usable.
    """

    encoder_layers: int | None = setting(
        None,
        "bidirectional LSTM layers of the encoder (default: the profile's)",
        low=1,
    )
    decoder_layers: int | None = setting(
        None, "LSTM layers of the decoder (default: the profile's)", low=1
    )
    residual: bool = setting(
        False, "residual connections around all LSTM layers but the first"
    )
    layer_normalization: bool = setting(
        True, "layer normalization after every LSTM layer of the encoder"
    )
    answer_order: str = setting(
        "units-first",
        "order in which the decoder writes an answer",
        choices=("units-first", "left-to-right"),
    )
    query_order: str = setting(
        "as-written",
        "shuffled: the characters of all queries in one random order, to see whether "
        "their order helps",
        choices=("as-written", "shuffled"),
    )
    weight_decay: float | None = setting(
        None, "decoupled weight decay of AdamW (default: the profile's)", low=0
    )

    def resolve(self, profile: Profile = FULL) -> "TextToTextConfig":
        """The configuration with the profile's layers and weight decay for None."""
        usual = {
            "encoder_layers": profile.text_layers,
            "decoder_layers": profile.text_layers,
            "weight_decay": profile.text_weight_decay,
        }
        unset = {k: v for k, v in usual.items() if getattr(self, k) is None}
        return replace(self, **unset)

    @property
    def encoder(self) -> Stack:
        """The layers of the encoder."""
        return Stack(self.encoder_layers, self.residual, self.layer_normalization)

    @property
    def decoder(self) -> Stack:
        """The layers of the decoder."""
        return Stack(self.decoder_layers, self.residual)

    def encode(self, queries: np.ndarray) -> np.ndarray:
        """Queries [n, 3] as the codes that the model reads: uint8 [n, query_length]."""
        codes = encode_queries(queries, self.format)
        if self.query_order == "shuffled":
            order = np.random.default_rng(SHUFFLE_SEED).permutation(codes.shape[1])
            codes = codes[:, order]
        return codes


def build_text_model(config: TextToTextConfig) -> keras.Model:
    """The untrained network from one-hot characters to answer logits.

    Its input is [n, query_length, 13], its output [n, answer_length, 13]. See
    `TextToText` for the model around it.
    """
    config = config.resolve()
    return build_encoder_decoder(
        config.format,
        config.encoder,
        config.decoder,
        units_first=config.answer_order == "units-first",
    )


class TextToText(keras.Model):
    """Codes of queries [n, query_length] to answer logits [n, answer_length, 13].

    Args:
        encoder_decoder: network from one-hot characters to answer logits, see
            `build_text_model`.
    """

    def __init__(self, encoder_decoder: keras.Model):
        super().__init__()
        self.one_hot = OneHot()
        self.encoder_decoder = encoder_decoder
        self.built = True

    def call(self, codes):
        return self.encoder_decoder(self.one_hot(codes))


def exact_match(answers, logits):
    """Per answer [n], 1 if every character is predicted correctly, else 0.

    Args:
        answers: codes [n, answer_length].
        logits: [n, answer_length, 13].
    """
    predicted = ops.argmax(logits, axis=-1)
    correct = ops.equal(predicted, ops.cast(answers, predicted.dtype))
    return ops.cast(ops.all(correct, axis=-1), "float32")


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The model's outputs for any number of inputs, all in batches of one size.

    A step is compiled again for every new size, which can take seconds; so the last
    batch is filled up, and what it was filled with is thrown away.
    """
    missing = -len(inputs) % PREDICT_BATCH
    filled = np.concatenate([inputs, np.repeat(inputs[:1], missing, axis=0)])
    parts = filled.reshape(-1, PREDICT_BATCH, *inputs.shape[1:])
    outputs = np.concatenate([model.predict_on_batch(part) for part in parts])
    return outputs[: len(inputs)]
