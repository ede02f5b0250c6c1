"""What modular image-to-text and text-to-image contain: a frozen text model."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import keras
import numpy as np

from latent_arithmetic.config import FULL, Profile, setting
from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.layers import OneHot, Stack
from latent_arithmetic.seq2seq.queries import QueryConfig
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig

PREFIX = "text_"  # of the settings of the text model


@dataclass(frozen=True)
class FrozenTextConfig(QueryConfig):
    """Hyperparameters of an image model: one around a text model, or end-to-end.

    The text model is trained on the same queries and no others, and is not changed.
    `text_` settings left at None are the defaults of text-to-text. An end-to-end model
    contains none, and has layers of its own.
    """

    encoder_layers: int | None = setting(
        None,
        "recurrent layers of an end-to-end encoder (default: the profile's)",
        low=1,
    )
    decoder_layers: int | None = setting(
        None, "layers of an end-to-end decoder (default: the profile's)", low=1
    )

    text_encoder_layers: int | None = setting(
        None, "LSTM layers of the text model's encoder (default: text-to-text's)", low=1
    )
    text_decoder_layers: int | None = setting(
        None, "LSTM layers of the text model's decoder (default: text-to-text's)", low=1
    )
    text_weight_decay: float | None = setting(
        None,
        "decoupled weight decay of the text model (default: text-to-text's)",
        low=0,
    )
    weight_decay: float = setting(
        0.1, "decoupled weight decay of AdamW, for all but the text model", low=0
    )

    def __post_init__(self):
        super().__post_init__()
        if self.uses_text_model:
            self.expect_unset(
                ("encoder_layers", "decoder_layers"),
                "the layers that calculate are those of the text model",
            )
            self.text_config()
        else:
            self.expect_unset(
                self._text_names(), "an end-to-end architecture contains no text model"
            )

    @property
    def uses_text_model(self) -> bool:
        """Whether the model contains a frozen text model."""
        return True

    def expect_unset(self, names: Sequence[str], reason: str) -> None:
        """Raise a `UserError` if a setting that has no effect is given."""
        for name in names:
            value = getattr(self, name)
            if value is not None:
                raise UserError(
                    f"received {name} {value}, which has no effect here: {reason}; "
                    "leave it out"
                )

    @property
    def stacks(self) -> tuple[Stack, Stack]:
        """The layers of encoder and decoder of an end-to-end model."""
        encoder = Stack(self.encoder_layers, layer_normalization=True)
        return encoder, Stack(self.decoder_layers)

    def _text_names(self) -> list[str]:
        return [each.name for each in fields(self) if each.name.startswith(PREFIX)]

    def text_config(self) -> TextToTextConfig | None:
        """The configuration of the text model; None if there is none."""
        if not self.uses_text_model:
            return None
        shared = ("seed", "max_digits", "train_fraction", "train_queries", "split")
        own = {name: getattr(self, name) for name in self._text_names()}
        return TextToTextConfig(
            **{name: getattr(self, name) for name in shared},
            **{
                name.removeprefix(PREFIX): value
                for name, value in own.items()
                if value is not None
            },
        )

    def resolve(self, profile: Profile = FULL) -> "FrozenTextConfig":
        """The configuration with default layers in place of None."""
        text = self.text_config()
        if text is None:
            encoder, decoder = profile.image_layers
            return replace(
                self,
                encoder_layers=self.encoder_layers or encoder,
                decoder_layers=self.decoder_layers or decoder,
            )
        text = text.resolve(profile)
        names = self._text_names()
        return replace(
            self, **{name: getattr(text, name.removeprefix(PREFIX)) for name in names}
        )


class FrozenTextModel(keras.Model):
    """A model around a trained encoder-decoder whose weights stay fixed.

    Args:
        encoder_decoder: what `build_text_model` returns.
    """

    def __init__(self, encoder_decoder: keras.Model):
        super().__init__()
        self.one_hot = OneHot()
        self.encoder_decoder = encoder_decoder
        self.encoder_decoder.trainable = False

    def use_text_weights(self, weights: list[np.ndarray]) -> None:
        """Take over the weights of a trained text model of the same architecture."""
        self.encoder_decoder.set_weights(weights)

    def prepare_training(self) -> None:
        """What a model needs for training beside the text model's weights."""
