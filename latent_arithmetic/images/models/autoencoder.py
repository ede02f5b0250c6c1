"""A convolutional autoencoder (CAE): squeeze a picture into a few numbers, and back."""

import keras
from keras import ops


def squared_error(x, reconstruction):
    """Sum of squared errors over pixels and colours, for every picture: [n]."""
    return ops.sum(ops.square(x - reconstruction), axis=(1, 2, 3))


class Autoencoder(keras.Model):
    """decoder(encoder(x)); trained on the mean over the batch of ``squared_error``.

    encoder: [n, height, width, 3] in [0, 1] -> [n, latent_dim], the codes.
    decoder: [n, latent_dim] -> [n, height, width, 3] in [0, 1].
    """

    told = 0  # attributes

    def __init__(self, encoder: keras.Model, decoder: keras.Model, name: str = "cae"):
        super().__init__(name=name)
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = decoder.input_shape[-1]
        self.built = True  # both networks are

    def call(self, x, training=False):
        return self.decoder(self.encoder(x, training=training), training=training)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return ops.mean(squared_error(x, y_pred))

    def encode(self, x):
        """The code of every picture: [n, latent_dim]."""
        return self.encoder(x)

    latents = encode  # it is told nothing of pictures that codes could hold besides

    def decode(self, z):
        """The pictures of codes, in [0, 1]."""
        return self.decoder(z)
