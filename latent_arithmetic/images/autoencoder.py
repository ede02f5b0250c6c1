"""A convolutional autoencoder (CAE): an image is encoded as a latent vector and
reconstructed from it."""

import keras
from keras import ops


def squared_error(x, reconstruction):
    """Sum of squared errors over the pixels and colors of each image: [n]."""
    return ops.sum(ops.square(x - reconstruction), axis=(1, 2, 3))


class Autoencoder(keras.Model):
    """Reconstructs images as `decoder(encoder(x))`.

    The loss is the squared error, summed over an image and averaged over the batch.

    Args:
        encoder: From images [n, height, width, 3] in [0, 1] to [n, latent_dim].
        decoder: From [n, latent_dim] to images in [0, 1].
    """

    n_attributes = 0  # it is not conditional

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
        """Latent vectors of images in [0, 1]: [n, latent_dim]."""
        return self.encoder(x)

    residual_latents = encode  # there are no attribute embeddings to leave out

    def decode(self, z):
        """Images in [0, 1] of latent vectors [n, latent_dim]."""
        return self.decoder(z)
