"""Text to text: the encoder-decoders that answer a query written as text.

Modular image-to-text and text-to-image contain such a model, frozen, that was trained
on the same queries and no others; end-to-end image-to-text does not.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops

from latent_arithmetic.config import setting
from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.layers import (
    ALIGNMENT_LOGIT,
    OneHot,
    build_aligned_encoder_decoder,
    build_bidirectional_column_rnn,
    build_encoder_decoder,
)
from latent_arithmetic.seq2seq.queries import (
    TWO_DIGITS,
    QueryConfig,
    QueryFormat,
    encode_columns,
    encode_queries,
)

PREDICT_BATCH = 500  # examples


@dataclass(frozen=True)
class Architecture:
    """A text-to-text architecture: what it is given, and its default settings.

    Args:
        decoder_layers: LSTM layers of the decoder, or of the column RNN.
        weight_decay: decoupled weight decay of AdamW.
    """

    decoder_layers: int
    weight_decay: float


ARCHITECTURES = {
    "encoder-decoder": Architecture(1, 0.1),
    "attention-alignment-given": Architecture(2, 0.6),
    "column-aligned": Architecture(2, 0.6),
}
ATTENTION, COLUMNS = "attention-alignment-given", "column-aligned"
STRING_ARCHITECTURES = ("encoder-decoder", ATTENTION)  # these read plain text


@dataclass(frozen=True)
class TextToTextConfig(QueryConfig):
    """All hyperparameters of a text-to-text model.

    What a model is given is part of its architecture's name. In
    "attention-alignment-given" about 93% of the attention's weight lies on the right
    characters of a query of two digits before any training, and character kinds are
    given; with `alignment_logit=0` nothing is aligned. "column-aligned" reads
    structured input. "encoder-decoder" is given nothing but the text.

    Raises:
        UserError: a value is not usable, or has no effect.
    """

    architecture: str = setting(
        "encoder-decoder",
        "encoder-decoder: given nothing but the text; attention-alignment-given: the "
        "right alignment is built in; column-aligned: structured input",
        choices=tuple(ARCHITECTURES),
    )
    encoder_layers: int = setting(
        1, "bidirectional LSTM layers of the encoder; column-aligned: none", low=1
    )
    decoder_layers: int | None = setting(
        None,
        "LSTM layers of the decoder or column RNN (default: the architecture's)",
        low=1,
    )
    alignment_logit: float = setting(
        ALIGNMENT_LOGIT,
        "added to the attention scores of the right characters; 0: no alignment given",
        low=0,
    )
    weight_decay: float | None = setting(
        None,
        "decoupled weight decay of AdamW (default: the architecture's)",
        low=0,
    )

    def __post_init__(self):
        super().__post_init__()
        unused = [("alignment_logit", (0, ALIGNMENT_LOGIT), (ATTENTION,))]
        unused += [("encoder_layers", (1,), STRING_ARCHITECTURES)]
        for name, neutral, architectures in unused:
            value = getattr(self, name)
            if value not in neutral and self.architecture not in architectures:
                raise UserError(
                    f"{name} {value} has no effect on {self.architecture}; leave it "
                    f"out or choose {' or '.join(architectures)}"
                )

    def resolve(self) -> "TextToTextConfig":
        """The same with the architecture's defaults in place of None.

        Where there is no attention, `alignment_logit` becomes 0.
        """
        defaults = ARCHITECTURES[self.architecture]
        values = {
            name: getattr(defaults, name)
            for name in ("decoder_layers", "weight_decay")
            if getattr(self, name) is None
        }
        if self.architecture != ATTENTION:
            values["alignment_logit"] = 0.0
        return replace(self, **values)


def build_text_model(config: TextToTextConfig) -> keras.Model:
    """The untrained network from one-hot characters to answer logits.

    Its input is [n, query_length, 13], or columns [n, answer_length, 3, 13] of
    "column-aligned"; its output [n, answer_length, 13]. See `TextToText` for the model
    around it.
    """
    config = config.resolve()
    query_format, decoder_layers = config.format, config.decoder_layers
    if config.architecture == COLUMNS:
        return build_bidirectional_column_rnn(
            query_format.answer_length, decoder_layers, narrow=True
        )
    if config.architecture == ATTENTION:
        return build_aligned_encoder_decoder(
            query_format, config.encoder_layers, decoder_layers, config.alignment_logit
        )
    return build_encoder_decoder(query_format, config.encoder_layers, decoder_layers)


def encode_for(
    architecture: str, queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> np.ndarray:
    """Queries [n, 3] as the codes that a text model of an architecture reads."""
    encoder = encode_columns if architecture == COLUMNS else encode_queries
    return encoder(queries, query_format)


class TextToText(keras.Model):
    """Codes of queries, as `encode_for` makes them, to answer logits [n, k, 13].

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
