# Generated from notebooks/generative_models.ipynb by nbconvert; edit the notebook.

# # Arithmetic in a latent space
# 
# A generative model learns to produce new images that look as if they came from its
# training set. All three models of this notebook have a **latent space**: an image is
# described by a short **latent vector** $z$ (called the image's *latent code* if an
# encoder computed it), and a network decodes every such vector into an image. Only VAE
# and GAN are trained so that random vectors give images. They differ in how that network
# is trained:
# 
# | model | is trained to | can |
# |---|---|---|
# | convolutional autoencoder (CAE) | reconstruct images from a short latent code | compress, reconstruct |
# | variational autoencoder (VAE) | the same, with codes that follow a known distribution, the prior | reconstruct, generate |
# | generative adversarial network (GAN) | fool a second network, the discriminator | generate |

# **What the models are given.** If the images have attributes (hat, beard, ...), VAE and
# GAN are trained *conditional on them*, and each sample is generated with the attributes
# of a random training image. So they need not learn which attributes go together, and
# their numbers are better than those of *unconditional* models. Every table and figure
# says which of the two a model is; section 9 compares them.

# **Contents**
# 
# 1. [How the models are built](#1.-How-the-models-are-built)
# 2. [The images](#2.-The-images)
# 3. [The convolutional autoencoder](#3.-The-convolutional-autoencoder)
# 4. [The variational autoencoder](#4.-The-variational-autoencoder)
# 5. [The generative adversarial network](#5.-The-generative-adversarial-network)
# 6. [Interpolation between two random latent
#    vectors](#6.-Interpolation-between-two-random-latent-vectors)
# 7. [Arithmetic in the latent space](#7.-Arithmetic-in-the-latent-space)
# 8. [How good are the samples?](#8.-How-good-are-the-samples?)
# 9. [Recorded experiments](#9.-Recorded-experiments)
# 10. [VAE and GAN side by side](#10.-VAE-and-GAN-side-by-side)
# 11. [How long it took, and exercises](#11.-How-long-it-took,-and-exercises)

# Run it from top to bottom. Trained models are kept below `build/` and are not trained
# again; to start over, delete that folder. The environment variable
# `LATENT_ARITHMETIC_PROFILE`, or `open_output_folder("full")` in the first cell, sets how
# long the models are trained: `smoke` (seconds, to see whether everything runs), `quick`
# (minutes on a laptop, the default) or `full` (hours: longer training schedules, more
# seeds).

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill

for folder in (Path.cwd(), *Path.cwd().parents):
    if (folder / "latent_arithmetic").is_dir():
        sys.path.insert(0, str(folder))
        break
if find_spec("latent_arithmetic") is None:
    raise ModuleNotFoundError(
        "the package latent_arithmetic is not here: run this inside a clone of the "
        "project, or take the self-contained edition in notebooks/colab/"
    )

import matplotlib.pyplot as plt
import numpy as np

from latent_arithmetic.console import import_keras_quietly

import_keras_quietly()  # without TensorFlow's start-up messages

import keras

from latent_arithmetic import records
from latent_arithmetic.config import open_output_folder
from latent_arithmetic.images import (
    autoencoder,
    editing,
    evaluate,
    gan,
    likelihoods,
    networks,
    pipeline,
    presets,
    sampling,
    vae,
)
from latent_arithmetic.images.catalog import CARDS, CRYPTOPUNKS_NAME
from latent_arithmetic.images.classifier import feature_extractor
from latent_arithmetic.images.dataset import ImageSpec, image_spec, load_images
from latent_arithmetic.plotting import (
    image_grid,
    show_animation,
    show_figure,
    show_source,
    show_table,
    use_style,
)

output = open_output_folder()
profile = output.profile
use_style()
print(f"profile {profile.name}; all is written to {'/'.join(output.root.parts[-2:])}/")


# ## 1. How the models are built
# 
# **Question.** How can three models be built from two functions?
# 
# All networks of this notebook come from two functions. `build_conv_net` maps an image to
# a vector: each layer is a convolution with a stride of 2, which halves the side of the
# feature map, and a dense layer reads the last and smallest one. The number of channels
# is *fixed* (the same in all layers) or *hierarchical* (one number per layer). Kernel
# sizes, strides, activation, normalization and input size are arguments too.

show_source(networks.build_conv_net)


# `build_deconv_net` is its mirror: a dense layer makes the smallest feature map, and each
# layer doubles its side. Both take their lists from the image to the smallest feature
# map, so the same arguments give matching networks. A *transposed* convolution adds a
# small patch to its output for each value it reads. Where patches overlap unevenly,
# *checkerboard artifacts* appear; kernels of 4x4 with a stride of 2 overlap evenly.
# (Section 5 asks whether the same matters in a discriminator.)

show_source(networks.build_deconv_net)


# The same functions with three sets of arguments: fixed and hierarchical channels, small
# and large strides. The table shows the shape of the feature map after each layer.

def shapes(network):
    """The shape after every layer that changes it."""
    found = [network.input_shape[1:]]
    for layer in network.layers[1:]:
        if layer.output.shape[1:] != found[-1]:
            found.append(tuple(layer.output.shape[1:]))
    return " -> ".join("x".join(map(str, shape)) for shape in found)


rows = []
for arguments in (
    {"channels": 128, "n_layers": 4},
    {"channels": (24, 48, 96, 192), "kernel_size": (2, 4, 4, 4)},
    {"channels": (32, 64), "strides": 4, "kernel_size": 5, "normalization": "batch"},
):
    conv = networks.build_conv_net((64, 64, 3), 10, **arguments)
    deconv = networks.build_deconv_net(10, (64, 64, 3), **arguments)
    text = ", ".join(f"{name}={value}" for name, value in arguments.items())
    rows.append([text, "conv", shapes(conv), f"{conv.count_params():,}"])
    rows.append(["", "deconv", shapes(deconv), f"{deconv.count_params():,}"])
show_table(rows, ["arguments", "network", "shapes", "parameters"])


# **What to notice.** With fixed channels, a layer next to the image has as many weights
# as one far from it, and applies them at far more places: most operations are spent where
# the feature map is large. Hierarchical channels move weights and operations to the small
# feature maps, where one channel can stand for something larger than an edge.
# 
# The three models differ only in the arguments they pass to the two functions. A *preset*
# is a named set of all arguments of a model, such as `default` (used below) or `baseline`
# (the simple model that the course assignment comes with; we compare ours with it). The
# code that turns the default into a VAE:

show_source(
    networks.conv_arguments,
    presets.build_vae,
)


# **Take away.** Encoders and discriminators are one function, decoders and generators its
# mirror; the models differ in arguments and losses.

# ## 2. The images
# 
# **Question.** What are the images, and what has to be done before a network can read them?
# 
# We use the [CryptoPunks](https://www.larvalabs.com/cryptopunks): 10,000 different
# portraits in pixel art, 24 by 24 pixels, each made of a type (female, male, zombie, ape,
# alien) and some of 87 accessories. They are small enough for a laptop and still hard: a
# pixel is right or wrong, so every blur and every stray dot shows. And since their parts
# are known, the effect of an edit can be counted.
# 
# Preprocessing to $64 \times 64 \times 3$: the transparent background becomes the
# official `#638596`, a border of 4 pixels makes 24 into 32, and every pixel is doubled.
# No pixel is ever interpolated. The networks use the doubling
# (`ImageSpec.pixel_doubled`): their layer next to the image works on blocks of 2 by 2
# pixels, which costs a quarter and cannot blur.

# **Other images: change one line.** `DATA` is the name of a dataset below, or the path of
# a folder, a .zip, an .npz or an .npy file with images of any kind and size. They are
# cropped to the central square and resized; those that cannot be read are skipped and
# listed. Images without labels give unconditional models; photographs get a Gaussian
# likelihood and a discriminator in the VAE (section 5); fewer images are shown in more
# epochs, so that the number of training steps stays about the same. A dataset that is not
# on this machine is downloaded from Kaggle (`pip install kagglehub`); without a network,
# the message says where to get it.

rows = [[c.name, c.what, c.labels, c.license, c.link] for c in CARDS.values()]
show_table(rows, ["dataset", "images", "labels", "license", "source"])


DATA = "cryptopunks"  # or another name, or a path such as "my_images/"
SIZE = 64

dataset = load_images(DATA, SIZE, limit=profile.max_images)
spec = image_spec(dataset)
print(dataset.report)
rows = []
for name in ("train", "validation", "test"):
    part = getattr(dataset, name)
    values = f"{part.min()} to {part.max()}"
    rows.append([name, str(part.shape), str(part.dtype), values])
show_table(rows, ["split", "shape", "type", "values"])
print(f"pixel-doubled: {spec.pixel_doubled}")
print(f"palette: {f'{spec.palette_size} colors' if spec.palette_size else 'none'}")
print(f"{spec.n_attributes} attributes", ", ".join(dataset.label_names[:12]), "...")


real = dataset.test[:40]
show_figure(image_grid(real, columns=10), "real-images", output)

sizes = {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")}
skipped = len(dataset.report.skipped)
records.record_result(
    output,
    "dataset",
    {**sizes, "total": sum(sizes.values()), "size": SIZE, "skipped": skipped},
    config={"data": dataset.name, "size": SIZE},
);


# **What to notice.** Few colors, large flat areas, hard edges; the background is one
# exact color. Hair, hats and glasses vary most. An image's own content decides whether it
# is in the training, validation or test split, and exact duplicates are dropped first, so
# no model was trained on a test image.
# 
# **Take away.** The same image content decides its split on every machine, so no test
# image was ever trained on.

# ## 3. The convolutional autoencoder
# 
# **Question.** How much of an image is left in 64 numbers, and can new images be made of
# such numbers?
# 
# An encoder maps the image $x$, 12,288 numbers, to a latent code $z$ of 64, and a decoder
# reconstructs the image from it. Both are trained to make the squared error small:
# 
# $$ z = \mathrm{enc}(x), \qquad \hat{x} = \mathrm{dec}(z), \qquad
# \mathcal{L}_{\mathrm{CAE}} = \lVert x - \hat{x} \rVert^2 . $$
# 
# The code is too small to copy pixels, so it has to hold what distinguishes one portrait
# from another. The CAE is not conditional: it is trained on images alone.

show_source(autoencoder.Autoencoder)


# Two helpers for all models follow: tables of metrics (brackets are 95% intervals, $n$ is
# the number of images), and training. *PSNR* is $-10 \log_{10}$ of an image's mean
# squared error, averaged over test images (it is not the PSNR of the average error:
# images that are reconstructed exactly count as 54 dB and raise it); *active units* are
# latent variables whose mean varies from image to image; *bits per dimension* is the
# negative ELBO by pixel value, an upper bound on the bits that the model needs for one;
# *SSIM* compares local structure, and is 1 for equal images.

LABELS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "mse": "mean squared error",
    "psnr_of_mean_image": "PSNR of the mean training image",
    "latent_dim": "latent dimension",
    "active_units": "active units",
    "bits_per_dimension": "bits per dimension, at most",
}


def describe(trained, detail=""):
    """A model's name, with what it is conditional on."""
    given = "conditional on attributes" if trained.n_attributes else "unconditional"
    return ", ".join(filter(None, (trained.task.upper(), given, detail)))


def show_estimates(columns, title="metric"):
    """A table of metrics. columns: heading -> estimates by name."""
    rows = []
    for name, label in LABELS.items():
        found = [estimates.get(name) for estimates in columns.values()]
        known = [estimate for estimate in found if estimate is not None]
        if known:
            rows.append([label, known[0].n, *found])
    show_table(rows, [title, "n", *columns])


def train(task):
    """The trained model; if it has been trained before, it is loaded."""
    folder = output.models / f"{task}-{Path(DATA).stem}-{SIZE}"
    return pipeline.train(task, folder, profile=profile, data=dataset)


def record_model(trained, estimates):
    """Record the evaluation of a model."""
    records.record_result(
        output,
        trained.task,
        estimates,
        config=trained.config,
        seconds=trained.run.history.seconds,
        details={"parameters": trained.model.count_params()},
    )


def show_reconstructions(trained, name):
    """Test images, and below each its reconstruction."""
    half = min(10, len(dataset.test) // 2)
    first, second = dataset.test[:half], dataset.test[half : 2 * half]
    rows = [first, trained.reconstruct(first), second, trained.reconstruct(second)]
    labels = ["real", "reconstructed"] * 2
    show_figure(image_grid(np.concatenate(rows), half, row_labels=labels), name, output)


cae_model = train("cae")
reconstruction = evaluate.evaluate_reconstruction(cae_model, dataset)
record_model(cae_model, reconstruction)
show_estimates({describe(cae_model): reconstruction}, "reconstruction of test images")
show_reconstructions(cae_model, "cae-reconstructions")


# **What to notice.** The value to beat is the PSNR of the mean training image. Type, hair
# and most accessories are reconstructed. Rare accessories are lost first: there are few
# examples of them, and the decoder replaces them by something common.
# 
# The autoencoder can reconstruct, but it cannot generate. Nothing in its loss says how
# codes are distributed, so a vector drawn from $\mathcal{N}(0, I)$ most likely lies where
# the decoder was never trained:

samples = cae_model.generate(20, seed=1)
print(f"standard deviation of real codes: {cae_model.encode(dataset.test).std():.2f}")
labels = ["codes of N(0, I)", "more of them"]
show_figure(image_grid(samples, 10, row_labels=labels), "cae-samples", output)


# **What to notice.** Nearly all are empty: the decoder has never seen such codes.
# (Section 4 fits a distribution to the codes of real images; samples of that do show
# heads.)
# 
# **Take away.** 64 numbers are enough to reconstruct most of a portrait, but nobody knows
# which 64 numbers belong to one.

# ## 4. The variational autoencoder
# 
# **Question.** How does an autoencoder become a model that can generate?
# 
# The VAE ([Kingma and Welling 2014](https://arxiv.org/abs/1312.6114)) solves exactly this
# problem. It assumes that images come about in two steps, $z \sim \mathcal{N}(0, I)$,
# then $x \sim p(x \mid z)$. The encoder answers with a Gaussian in place of a single
# vector, $q(z \mid x) = \mathcal{N}(\mu(x), \operatorname{diag} \sigma^2(x))$, and the
# loss is the negative *evidence lower bound* (ELBO), an upper bound on $-\log p(x)$:

# $$ \mathcal{L}_{\mathrm{VAE}} =
# \underbrace{-\,\mathbb{E}_{q(z \mid x)} \log p(x \mid z)}_{\text{reconstruction}} +
# \underbrace{\tfrac{1}{2} \sum_j \left( \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2 \right)
# }_{D_{\mathrm{KL}}(q(z \mid x) \,\Vert\, \mathcal{N}(0, I))} . $$
# 
# The first term asks for codes that distinguish images. The second, the KL divergence,
# pulls the codes of all images toward the same prior $\mathcal{N}(0, I)$, so that a
# random vector of the prior lies where the decoder was trained. KL is summed over latents
# and errors over pixels; both are averaged over the batch.

# Sampling has no gradient. But a sample can be written as $z = \mu + \sigma \varepsilon$
# with $\varepsilon \sim \mathcal{N}(0, I)$, and then gradients pass through $\mu$ and
# $\sigma$: the *reparameterization trick*.

show_source(vae.kl_divergence, vae.VAE.reparameterize)


# **The likelihood of pixels** $p(x \mid z)$ sets a price: to store a detail in the code
# costs KL, to get it wrong costs reconstruction, and the model stores it only where that
# is cheaper. Both are measured in *nats* (with natural logarithms; a bit is 0.69 nats).
# Two are implemented:

# - *Gaussian*: every value is normal around the decoder's, with standard deviation $s$.
#   Over $d$ values the term is $\lVert x - \hat{x} \rVert^2 / 2 s^2 + d \log s +
#   \tfrac{d}{2} \log 2 \pi$. With $s^2 = \tfrac{1}{2}$ it is the plain squared error of
#   the baseline, by which small details are cheaper to get wrong than to store. The
#   optimal $s$ is the root of the mean squared error itself (sigma-VAE, [Rybkin et al.
#   2021](https://arxiv.org/abs/2006.13202)) and needs no tuning.
# - *Categorical over a palette*: every pixel **is** one of a few colors, and the decoder
#   gives each color a logit (a score; the softmax of all is their probability); the term
#   is the softmax cross-entropy per pixel.

# A squared error is smallest for the *average* of all images that fit, and the average of
# two colors is a third one that no CryptoPunk has. The most likely color of a categorical
# distribution is always one of the palette, so decoded images are sharp by construction.
# This likelihood is used whenever the training images are pixel art, with a palette of at
# most 256 colors. Photographs get the Gaussian with the optimal $s$, and a discriminator
# in addition (section 5).

show_source(likelihoods.PaletteLikelihood, likelihoods.categorical_cross_entropy)


# **The weight of the KL.** Early in training the decoder knows nothing yet, and the KL
# would push every code to 0 and keep it there (*posterior collapse*). Its weight
# therefore grows from 0 in the first steps (*KL warm-up*, [Bowman et al.
# 2016](https://arxiv.org/abs/1511.06349)). *Free bits* ([Kingma et al.
# 2016](https://arxiv.org/abs/1606.04934)) can exempt some nats of every latent.
# 
# The final weight is $\beta = 0.2$ (`beta`, [Higgins et al.
# 2017](https://openreview.net/forum?id=Sy2fzU9gl)). With $\beta = 1$, tiny details are
# cheaper to get wrong than to store: one CryptoPunk in sixteen has a mole, a single
# pixel, and storing it costs about as many nats as getting it wrong now and then.
# Attribute editing needs codes that hold moles. With $\beta = 0.2$ they hold small and
# rare things, and match $\mathcal{N}(0, I)$ less well. The reported bits per dimension
# are with $\beta = 1$.

# **Conditional on attributes.** If images have attributes $a$ (92 for CryptoPunks; age
# and others for faces), the VAE is conditional on them, as the model M2 of [Kingma et al.
# 2014](https://arxiv.org/abs/1406.5298). Each attribute $k$ has a learned *embedding*
# $w_k$ in the latent space, and the latent vector is
# 
# $$ z = \sum_k a_k w_k + r , \qquad r \sim q(r \mid x) , $$
# 
# with a *residual latent* $r$, for which alone the KL is computed. So adding $w_k$ to a
# latent vector adds attribute $k$. The encoder learns to predict the attributes as well:
# their cross-entropy is part of the loss, with a weight of 10, since marks of a few
# pixels are overlooked otherwise. An image without labels is encoded with the predicted
# attributes. Datasets without attributes get the plain, unconditional VAE, $z = r$.

# The loss as it is minimized:
# 
# $$ \mathcal{L} = -\log p(x \mid z) + \beta \, D_{\mathrm{KL}}(q(r \mid x) \,\Vert\,
# \mathcal{N}(0, I)) + 10 \sum_k \mathrm{CE}(a_k, \hat{a}_k) , $$
# 
# with the cross-entropy CE of the attribute $a_k$ and the encoder's prediction $\hat{a}_k$.

# Validation logs the number of *active units*, whose mean varies from image to image.
# If there are few, codes hold little information.

show_source(vae.VAE.embed, vae.VAE._negative_elbo_loss)


spec = image_spec(dataset)
config = presets.resolve(presets.find_preset("vae"), spec)
model = presets.build_vae(config, spec, seed=1)
model.compile(keras.optimizers.Adam(2e-3))
arrays = pipeline.training_arrays("vae", model, dataset)
images, targets = arrays if isinstance(arrays, tuple) else (arrays, {})
targets = {name: values[:32] for name, values in targets.items()}
for step in range(1, 6):
    losses = model.train_on_batch(images[:32], targets or None, return_dict=True)
    shown = ", ".join(f"{name} {float(loss):,.0f}" for name, loss in losses.items())
    print(f"step {step}: {shown}")


# These were five training steps on one batch of 32 images (means since the first step, in
# nats): encode, sample, decode, sum up the terms of the loss, change every weight a
# little against its gradient. `train` below does the same in shuffled batches for several
# epochs, with a schedule of the learning rate. (The weight of the KL is still nearly 0 in
# these first steps, so the loss hardly contains it, and it may grow.) It generates
# samples along the way, and goes on where it was stopped.

vae_model = train("vae")
reconstruction = evaluate.evaluate_reconstruction(vae_model, dataset)
record_model(vae_model, reconstruction)
show_estimates({describe(vae_model): reconstruction}, "reconstruction of test images")
show_reconstructions(vae_model, "vae-reconstructions")


# **Samples.** Take the attributes of a random training image, sample $r \sim
# \mathcal{N}(0, I)$, and decode. The residual latents of real images do not match
# $\mathcal{N}(0, I)$ exactly. So after training we fit a mixture of ten Gaussians to them
# and sample from that: a *Gaussian-mixture prior*, by *ex-post density estimation*
# ([Ghosh et al. 2020](https://arxiv.org/abs/1903.12436)).
# 
# Attributes nearly determine a CryptoPunk, so a sample may equal a training image, the
# more often the longer the VAE was trained. Such a *training duplicate* is no new image;
# it is rejected, and another sample takes its position (section 8 reports the duplicate
# rate).
# 
# Below: both priors, then $\mathcal{N}(0, I)$ with every value beyond 2 standard
# deviations replaced (*truncation*), and with a sixth of the noise.

def show_samples(trained, name, seed=3):
    """Unselected samples: of each prior, truncated, and with a sixth of the noise."""
    rows, labels = [trained.generate(20, seed)], ["N(0, I)", ""]
    if trained.has_encoder:
        rows.append(trained.generate(20, seed, prior="mixture"))
        labels += ["mixture prior", ""]
    rows.append(trained.generate(10, seed, truncation=2.0))
    rows.append(trained.generate(10, seed, scale=1 / 6))
    labels += ["truncated at 2", "noise / 6"]
    print(f"samples of the {describe(trained)}")
    figure = image_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, name, output)


show_source(sampling.fit_mixture)
show_samples(vae_model, "vae-samples")


# **What to notice.** Every pixel has a color of the palette, so nothing is blurred.
# Errors are whole pixels: glasses that miss a corner, an accessory of another color,
# stray dots. Samples of the mixture prior have fewer of them, since they lie closer to
# the codes of real images. Which attributes go together is not learned but given: it is
# taken from training images. With a sixth of the noise, mainly the attributes still vary.
# 
# With the mixture prior even the CAE, which was trained without any prior, can generate:

samples = cae_model.generate(20, seed=1, prior="mixture")
show_figure(image_grid(samples, 10), "cae-mixture-samples", output)


# **Take away.** A prior in the loss turns codes into something one can sample; a
# likelihood that cannot average keeps samples sharp.

# ## 5. The generative adversarial network
# 
# **Question.** How can a network learn to draw without ever being shown what it should
# have drawn?
# 
# Two networks are trained against each other. The **generator** $G$ turns noise $z$ into
# an image. The **discriminator** $D$ gives an image a logit, high for real ones. The
# losses of the baseline ([Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661)) are
# binary cross-entropy, with the *non-saturating* generator loss:
# 
# $$ \mathcal{L}_D = \mathbb{E}\left[ f(-D(x)) + f(D(G(z))) \right], \qquad
# \mathcal{L}_G = \mathbb{E}\left[ f(-D(G(z))) \right], \qquad f(t) = \log(1 + e^t). $$
# 
# They look at every image alone. Without further measures $D$ becomes steeper and
# steeper, and a generator that has found one convincing image has no reason to produce
# others: *mode collapse*.

# The *relativistic pairing loss* of [R3GAN (Huang et al.
# 2024)](https://arxiv.org/abs/2501.05441) compares pairs,
# 
# $$ \mathcal{L}_D = \mathbb{E}\left[ f(D(G(z)) - D(x)) \right], \qquad
# \mathcal{L}_G = \mathbb{E}\left[ f(D(x) - D(G(z))) \right], $$
# 
# so a generated image has to look more real than the real image it is paired with. It is
# one argument away, `gan_loss="relativistic"`; section 9 shows why the default is the
# non-saturating loss.

show_source(gan.AdversarialLoss.discriminator_loss, gan.AdversarialLoss.generator_loss)


# **Gradient penalties.** R1 and R2, the other half of R3GAN, keep the gradient of $D$
# small at real and at generated images, which stabilizes training. The default adds them
# to $\mathcal{L}_D$ with $\gamma = 0.1$:
# 
# $$ \tfrac{\gamma}{2} \, \mathbb{E} \left[ \lVert \nabla D(x) \rVert^2 +
# \lVert \nabla D(G(z)) \rVert^2 \right]. $$
# 
# They need a gradient inside a loss. We estimate it with a finite difference along random
# vectors $e \sim \mathcal{N}(0, I)$: $\mathbb{E} \left( D(x + \epsilon e) - D(x)
# \right)^2 / \epsilon^2 \approx \lVert \nabla D \rVert^2$ for small $\epsilon$.

show_source(gan.AdversarialLoss.discriminate)


# **Conditional on attributes.** With noise alone, $G$ has to find out by itself that
# there are hats. If the images have attributes $a$, both networks are conditional on them
# ([Miyato and Koyama 2018](https://arxiv.org/abs/1802.05637)): $G$ gets $a$ beside its
# noise, and the *projection discriminator* $D(x, a) = d(x) + a \cdot v(x)$ asks not only
# whether an image is real, but whether it is real *for these attributes*. No *attribute*
# can be left out, since $G$ is asked for each as often as it occurs; what is not given,
# such as the skin, still can. A sample uses new noise and the attributes of a random
# training image, or attributes of our choice. Images without attributes get an
# unconditional GAN.

# **In code** both networks share one loss. `stop_gradient` makes the images constants in
# the discriminator loss, and the weights of $D$ constants in the generator loss, so plain
# `fit()` trains both. Samples come from an *exponential moving average* (EMA) of the
# weights of $G$, since single steps of adversarial training vary a lot.

show_source(gan.GAN.compute_loss)


# **Kernel sizes of the discriminator.** $G$ learns from the gradients of $D$. With
# kernels of 3x3 and a stride of 2, a layer of $D$ reads every other row and column twice,
# so some pixels count four times as often as others: checkerboard artifacts in the other
# direction. On photographs the default $D$ has kernels of 4x4, which read all pixels
# equally often; section 9 compares them with others. For pixel-doubled images the layer
# next to the image reads blocks of 2x2 pixels one by one, and the other layers have
# kernels of 3x3.

# **VAE-GAN, for photographs.** Photographs have no palette, so a VAE is left with squared
# errors: where its code leaves something open, it decodes the average of all that fits, a
# blur. A discriminator tells a blur from a real image at once. So on photographs the
# default VAE gets an adversarial loss as well ([Larsen et al.
# 2016](https://arxiv.org/abs/1512.09300)): its decoder is the generator, its
# reconstructions $\hat{x}$ are the generated images, and
# 
# $$ \mathcal{L} = \mathcal{L}_{\mathrm{VAE}} + \lambda \, \mathbb{E}\left[ f(-D(\hat{x}))
# \right] + \mathcal{L}_D $$
# 
# The first two terms train encoder and decoder, $\mathcal{L}_D$ the discriminator only.
# The adversarial weight $\lambda$ is 600 nats (`adversarial_weight`), and $\beta = 1$.
# CryptoPunks have a palette and get the VAE without a discriminator.

show_source(vae.VAEGAN.compute_loss)


gan_model = train("gan")
record_model(gan_model, {"latent_dim": gan_model.model.latent_dim})
print(f"{describe(gan_model)}: {gan_model.model.count_params():,} parameters")


# ### Images during training
# 
# First reconstructions by the CAE, of the same validation images again and again while it
# was trained. Then the same latent vectors, decoded by the VAE and by the GAN.

def show_progress(trained, name, shown=3):
    """Ten images at some validations as a figure, and at all of them as animation."""
    snapshots = list(trained.snapshots().items())
    chosen = np.unique(np.linspace(0, len(snapshots) - 1, shown).round().astype(int))
    rows = np.concatenate([snapshots[index][1][:10] for index in chosen])
    labels = [f"step {snapshots[index][0]:,}" for index in chosen]
    show_figure(image_grid(rows, 10, row_labels=labels), name, output)
    frames = [pipeline.contact_sheet(images[:10], 10) for _, images in snapshots]
    show_animation(frames, name, output)


show_progress(cae_model, "cae-progress")
show_progress(vae_model, "vae-progress")
show_progress(gan_model, "gan-progress")


# **What to notice.** After one epoch the CAE reconstructs faces and hair, later small
# accessories. At the first snapshot the VAE has portraits and the GAN blurred heads;
# later steps change hair, skin and single pixels. The VAE needs fewer steps: its loss
# compares every pixel with the right answer, while the GAN's only says whether an image
# looks real.

show_samples(gan_model, "gan-samples")


# *The GAN's samples.* As with the VAE, the truncated noise and a sixth of it follow the
# plain samples. With little noise mainly the attributes vary.

# ### Learning curves
# 
# Losses of all three models over the epochs of training. In the GAN's panel, a dotted
# line in the color of each loss marks its value if the discriminator cannot tell real
# from generated images: $\log 2$ for the generator, $2 \log 2$ for the discriminator,
# which sees both kinds.

def plot_losses(axis, trained, names, title):
    """One curve for each of the named losses, against epochs."""
    for name in names:
        values = trained.run.history.losses[name]
        axis.plot(np.arange(1, len(values) + 1), values, marker=".", label=name)
    axis.set(title=title, xlabel="epoch")
    axis.locator_params(axis="x", integer=True)


figure, axes = plt.subplots(2, 2, figsize=(6.6, 3.8))
axes = axes.ravel()
plot_losses(axes[0], cae_model, ["loss"], "CAE: squared error")
axes[0].set_yscale("log")
plot_losses(axes[1], vae_model, ["reconstruction"], "VAE: reconstruction")
plot_losses(axes[2], vae_model, ["kl"], "VAE: KL divergence")
plot_losses(axes[3], gan_model, ["generator", "discriminator"], "GAN")
for multiple, color in ((1, "C0"), (2, "C1")):
    axes[3].axhline(multiple * np.log(2), color=color, linestyle=":", linewidth=1)
axes[3].set_ylim(bottom=0)
axes[3].legend(loc="lower right")
show_figure(figure, "loss-curves", output)


# **What to notice.** These few epochs show the first, steep part of the autoencoders'
# curves only. The VAE's reconstruction term falls toward 0, where every pixel's color
# would be certain. (With a Gaussian likelihood it can fall below 0: that is a *density*,
# and densities may exceed 1.) Its KL is the number of nats with which codes describe an
# image; it still falls, as codes get shorter. A KL near 0 would mean codes without
# information (*posterior collapse*).

# A GAN's losses need **not** fall together: when one network gets better, the loss of the
# other rises. Here the discriminator stays ahead (its loss is below the dotted line), and
# the generator catches up. If the discriminator's loss runs to 0 while the generator's
# grows, the discriminator has won, and neither learns any more. The losses do not tell
# how good a GAN's images are; section 8 measures it.
# 
# **Take away.** A GAN's losses do not say how good it is: look at samples, and measure them.

# ## 6. Interpolation between two random latent vectors
# 
# **Question.** What lies between two points of a latent space?
# 
# Ten steps from one random latent vector to another, in all three models. VAE and GAN are
# conditional: the attributes at both ends are those of random training images. The CAE's
# vectors come from a mixture fitted to its codes. *Linear* interpolation is
# $z_t = (1 - t) z_0 + t z_1$, and *spherical* interpolation (slerp) is
# 
# $$ z_t = \frac{\sin((1 - t) \theta)}{\sin \theta} z_0 + \frac{\sin(t \theta)}{\sin \theta}
# z_1, \qquad \theta = \angle(z_0, z_1) . $$
# 
# The code below applies it to the directions of both vectors and changes the length
# evenly. In many dimensions, normal vectors lie close to a sphere of radius $\sqrt{64} =
# 8$, nearly at right angles. The straight line cuts through the sphere, where the decoder
# was never trained; the arc stays on it ([White 2016](https://arxiv.org/abs/1609.04468)).

show_source(sampling.interpolate)

ends = sampling.random_latents(2, gan_model.model.latent_dim, seed=11)
rows = []
for method in sampling.INTERPOLATIONS:
    lengths = np.linalg.norm(sampling.interpolate(*ends, 10, method), axis=1)
    rows.append([method, *(f"{length:.1f}" for length in lengths)])
show_table(rows, ["distance from 0 at step", *map(str, range(1, 11))])


def show_interpolations(rows, name, seed):
    """Steps between two random latent vectors: a row for each (model, method)."""
    images, labels = [], []
    for trained, method in rows:
        prior = "mixture" if trained is cae_model else "normal"
        images.append(trained.interpolate(10, seed, method, prior=prior))
        labels.append(f"{trained.task.upper()}, {method}")
    figure = image_grid(np.concatenate(images), 10, row_labels=labels)
    show_figure(figure, name, output)


models = (cae_model, vae_model, gan_model)
pairs = [(trained, method) for trained in models for method in sampling.INTERPOLATIONS]
chosen = [pairs[0], pairs[2], pairs[3], pairs[5]]
show_interpolations(chosen, "interpolation", seed=11)
show_interpolations(pairs, "interpolation-more", seed=12)


# **What to notice.** The CAE fades one soft image into the other. The VAE never blends
# colors: between two punks, some pixels belong to one and some to the other. What is half
# there appears as scattered pixels, more of them after so short a training. Linear and
# spherical interpolation hardly differ, in the VAE because two latent vectors differ
# first of all in their attribute embeddings. Neither path is better here. In the GAN the
# attributes change linearly: in the middle it has to generate half a hood and half of
# another hair style, which no training image had, and there it blends. The two methods
# differ in its noise only.
# 
# **Take away.** Between two punks the CAE fades, our VAE switches pixel by pixel, since a
# palette allows no mixed colors, and the GAN blends.

# ### A hundred samples
# 
# A hundred samples of the GAN with one seed. The numbers of rows and columns are for
# picking some of them in section 7.

GRID_SEED = 7
grid_latents = gan_model.sample_latents(100, GRID_SEED)
labels = [str(row) for row in range(10)]
images = gan_model.decode(grid_latents)
figure = image_grid(images, 10, row_labels=labels, titles=labels)
show_figure(figure, "gan-grid", output)


# ## 7. Arithmetic in the latent space
# 
# **Question.** Can an attribute be added to an image by adding a vector to its code, and
# is the result right?
# 
# ### A map of the latent space
# 
# Latent codes of test images, 64 numbers each, projected to a plane so that neighbors
# stay neighbors (t-SNE), and colored by attributes. The attributes of these images were
# not given to the encoder: it predicts them, as it was trained to on the training images.

def most_frequent_attributes(count):
    """Columns of the attributes that most training images have."""
    return np.argsort(-dataset.train_labels.sum(axis=0), kind="stable")[:count]


if dataset.label_names and len(dataset.test) > 10:
    plane = sampling.tsne(vae_model.encode(dataset.test))
    figure, axes = plt.subplots(2, 4, figsize=(6.6, 3.4), layout="constrained")
    for axis, column in zip(axes.flat, most_frequent_attributes(8), strict=False):
        present = dataset.test_labels[:, column]
        axis.scatter(*plane[~present].T, s=3, color="#c8ccd2")
        axis.scatter(*plane[present].T, s=5)
        axis.set(title=dataset.label_names[column], xticks=[], yticks=[])
        axis.grid(False)
    show_figure(figure, "latent-map", output)
else:
    print("a map needs images with labels, more than 10 of them in the test split")


# **What to notice.** Each panel shows the same map. Men and women form two separate
# groups, as they must: each code contains the embedding of *male* or *female* that the
# encoder predicts. Small attributes, such as earrings, are spread inside them: a plane
# cannot show 64 dimensions.

# ### Attribute vectors
# 
# If directions of the latent space have a meaning, *woman with earring − woman* should be
# the earring, and adding it to a man's code should give the man an earring. The
# *class-mean difference* is not enough: the mean code of all images with a beard minus
# the mean of all others is a beard **and** a man, since only men have beards. *Least
# squares* explains codes by all attributes at once, so that each attribute vector holds
# its own contribution only. A conditional VAE has such vectors already: its attribute
# embeddings.
# 
# Some attributes exclude each other, as two hats do: if they were independent, some
# training images would have both, and none has. When edits are counted below, the vector
# of the one that is present is therefore subtracted; the figure that follows just adds.

# **Iterative editing.** A conditional VAE can check its own result: the encoder predicts
# the attributes of the edited image. What is missing is added once more, what should not
# be there is subtracted, and this is done twice. One thing is left alone: attributes that
# the encoder mostly fails to detect beside another one in real images that have both. An
# earring under long hair would otherwise be amplified until it shows *on* the hair.

show_source(
    editing.attribute_vectors,
    editing.IterativeEditor,
)


def as_words(attribute):
    """An attribute such as bigShades as words: big shades."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=D)(?=G)", " ", attribute).lower()


def as_text(added, *removed):
    """A caption: + female − male."""
    return " − ".join((f"+ {as_words(added)}", *map(as_words, removed)))


def ten_men(dataset):
    """The first ten men of the test images; of images of another kind, the first."""
    if "male" not in dataset.label_names:
        return dataset.test[:10]
    is_man = dataset.test_labels[:, dataset.label_names.index("male")] > 0
    return dataset.test[is_man][:10]


editors, wanted = {}, []  # edits: (attribute to add, attributes to remove)
if dataset.label_names:
    editors = editing.make_editors(vae_model, dataset)
    wanted = [(dataset.label_names[index],) for index in most_frequent_attributes(6)]
    if DATA == CRYPTOPUNKS_NAME:
        wanted = [("earring",), ("bigShades",), ("hoodie",), ("luxuriousBeard",)]
        wanted += [("female", "male"), ("zombie", "male")]
    vectors = editors["least_squares"].vectors
    vector = dict(zip(dataset.label_names, vectors, strict=True))
    start = vae_model.encode(ten_men(dataset))
    rows, labels = [vae_model.decode(start)], ["reconstructed"]
    for added, *removed in wanted:
        direction = vector[added] - sum(vector[name] for name in removed)
        rows.append(vae_model.decode(start + direction))
        labels.append(as_text(added, *removed))
    figure = image_grid(np.concatenate(rows), len(start), row_labels=labels)
    show_figure(figure, "attribute-vectors", output)
else:
    print("these images have no labels, so there are no attribute vectors")


if gan_model.n_attributes:
    start = gan_model.sample_latents(10, seed=8)
    first = gan_model.model.latent_dim  # the inputs that follow are the attributes
    rows, labels = [gan_model.decode(start)], ["sampled"]
    for added, *removed in wanted:
        edited = start.copy()
        for name in removed:
            edited[:, first + dataset.label_names.index(name)] = 0
        edited[:, first + dataset.label_names.index(added)] = 1
        rows.append(gan_model.decode(edited))
        labels.append(as_text(added, *removed))
    figure = image_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, "attribute-inputs", output)


# **What to notice.** The first figure edits the VAE's codes of real men with
# least-squares attribute vectors; in the second, the attribute inputs of the conditional
# GAN are changed, of men and women. Shades, beards and hoods appear, and skin mostly
# stays the same. Over short hair a hood is clean; over long hair or a hat often both are
# drawn, which is why the other has to be removed first. To become female, a portrait has
# to stop being male as well; "+ female − male" narrows the face, but often leaves a beard
# or breaks the hair. An earring is a pixel or two, and easily missed. Zombies are so rare
# that neither model draws a clean one.

# ### How often does an edit succeed?
# 
# Images can be selected to look good; counts cannot. A small *attribute classifier*,
# trained on the labels of the training images, looks at a thousand test images before and
# after one attribute was added. An edit **succeeds** if the wanted attribute is present
# and every other is as before. For comparison: how often a mere reconstruction leaves all
# attributes unchanged. (*Others unchanged* can be higher, as it leaves out the attribute
# that was added.)

# Edits have to make sense. None takes away an image's type without giving another: a
# beard on a woman is left out, since *beard* and *female* exclude each other. Some
# attributes the classifier fails to detect in real images as well: under a hood there is
# no visible earring, whatever the labels say, and the red cheeks of women it never
# detects. The success rate of *detectable* edits leaves out pairs of attributes of which
# the classifier detects one in fewer than half of the training images that have both.

# The **exact-match rate** needs no classifier. Attributes and skin determine a
# CryptoPunk: no two of the ten thousand share both. Suppose the dataset holds an image
# with all attributes of a test image and one more, and with the same skin (the same
# pixels at the neck). Then this *ground-truth target image* is what the edit has to
# produce, in every pixel. The rate is also given for targets that are not training
# images. These edits are as they occur in the dataset; the thousand edits above are
# spread evenly over all attributes that at least 80 training images have.

# The conditional VAE is evaluated with five methods: class-mean differences, least
# squares, attribute embeddings, iterative editing, and attribute embeddings where the
# codes are made with the *labels of the test images* in place of predicted attributes.
# The last one is given something that the others are not.
# 
# The GAN cannot encode a given image. But attributes are a part of its latent vectors,
# one number each, and adding 1 to it is an edit, too. It generates as many samples, with
# the labels of the same test images. These labels count as the attributes before the
# edit, although the classifier misses some of them even in real images; for the VAE, what
# the classifier finds in the real image counts. So the two tables are not quite
# comparable.

EDITORS = {
    "class_means": "class-mean difference",
    "least_squares": "least squares",
    "attribute_embedding": "attribute embedding",
    "iterative": "iterative editing",
    "given_attributes": "attribute embedding, test labels given",
}
LABELS |= {
    "classifier_exact_match": "all attributes correct",
    "classifier_precision": "precision of attributes",
    "classifier_recall": "recall of attributes",
    "success_rate": "success rate",
    "success_rate_detectable": "success rate of detectable edits",
    "attribute_present": "attribute present",
    "others_unchanged": "others unchanged",
    "reconstruction_unchanged": "unchanged without an edit",
    "exact_match_rate": "exact-match rate",
    "exact_match_rate_unseen": "exact-match rate, target no training image",
}


def show_editing(trained, estimates):
    """A table with a column for each method of editing."""
    columns = {}
    for editor, label in EDITORS.items():
        start = f"edit_{editor}_"
        found = {
            name.removeprefix(start): estimate
            for name, estimate in estimates.items()
            if name.startswith(start)
        }
        if found:
            label = label if trained.has_encoder else "attribute inputs"
            columns[label] = found
    show_estimates(columns, describe(trained))


folder = output.models / f"attribute-classifier-{Path(DATA).stem}-{SIZE}"
extractor = feature_extractor(dataset, folder, profile)
print(f"features: {extractor.name}, version {extractor.version}")
if dataset.label_names:
    columns = {"test images": evaluate.evaluate_classifier(extractor, dataset)}
    show_estimates(columns, "attribute classifier")
    for trained in (vae_model, gan_model):
        estimates = evaluate.evaluate_editing(
            trained, dataset, extractor, profile.max_edits
        )
        if not estimates:
            print(f"{describe(trained)}: too few images for any edit")
            continue
        show_editing(trained, estimates)
        records.record_result(
            output, f"{trained.task}-editing", estimates, config=trained.config
        )
else:
    print("without labels there is nothing to edit")


# **What to notice.** The first table is of the classifier itself: it sees most attributes
# of real images, not all. In the second, compare the columns: after so few epochs the
# model's own embeddings are too weak (the attribute appears in fewer than half of the
# edits); least squares, and the corrections of iterative editing, make up for it. Most
# other failures are already in the reconstruction, which keeps all attributes of about
# half of the images; test labels do not help.
# 
# The exact-match rate asks for every pixel and is far lower here. In section 9, after
# longer training, embeddings succeed in nearly nine of ten edits, and the exact-match
# rate is higher still, since its edits are common ones.

# Some edits with a ground truth: test images, the result of adding one attribute by least
# squares, and the real image that has all their attributes and that one. Rows two and
# three should be equal. First by the model of this notebook, then by one that was trained
# for 20 epochs (recorded). The edits are evenly spaced among all that have a ground truth.

def show_edits(images, added, name):
    """Three rows: before, edited, ground truth."""
    figure = image_grid(
        images,
        len(added),
        titles=[fill(as_text(attribute), 12) for attribute in added],
        row_labels=["before", "edited", "ground truth"],
        cell=0.95,
    )
    show_figure(figure, name, output)


ground_truth = editing.find_ground_truth(dataset) if dataset.label_names else None
if ground_truth and ground_truth.edits:
    chosen = np.linspace(0, len(ground_truth.edits) - 1, 8).astype(int)
    edits = [ground_truth.edits[index] for index in chosen]
    before = dataset.test[[edit.image for edit in edits]]
    after = vae_model.decode(editors["least_squares"].apply(edits))
    added = [dataset.label_names[edit.added] for edit in edits]
    images = np.concatenate([before, after, ground_truth.targets[chosen]])
    show_edits(images, added, "ground-truth-edits")
else:
    print("no edit of these images has a ground truth in the dataset")

RECORDED = "cryptopunks-vae-edits"
images = records.read_recorded_images(f"{RECORDED}-seed-1")
if images is not None:
    added = records.read_groups("experiments")[RECORDED].details[0]["added"]
    show_edits(images, added, "ground-truth-edits-recorded")


# **What to notice.** After three epochs accessories are wrong or lost: glasses become
# other glasses, make-up disappears. After 20 epochs an edit that is not exact is the
# exception.
# 
# **Take away.** Attributes can be added by vectors. How often it is right has to be
# counted; and an edit is rarely better than the reconstruction it starts from.

# The effect of iterative editing with attribute embeddings: the first edits where it
# makes a difference. After minutes of training much is missing at first and appears by
# the corrections (a patch, a hat), but other faces are damaged by them. With the longer
# training of section 9 there is less to correct.

def show_iterative_editing(count=8):
    """The first edited images that the corrections change."""
    labels = dataset.train_labels, dataset.test_labels
    edits = editing.possible_edits(*labels, 300)
    if not edits:
        return
    once, iterative = (
        vae_model.decode(editors[name].apply(edits))
        for name in ("attribute_embedding", "iterative")
    )
    chosen = np.flatnonzero((once != iterative).any(axis=(1, 2, 3)))[:count]
    if not len(chosen):
        return
    before = dataset.test[[edits[index].image for index in chosen]]
    figure = image_grid(
        np.concatenate([before, once[chosen], iterative[chosen]]),
        len(chosen),
        titles=[
            fill(as_text(dataset.label_names[edits[index].added]), 12)
            for index in chosen
        ],
        row_labels=["before", "edited", "iterative"],
        cell=0.95,
    )
    show_figure(figure, "iterative-editing", output)


if vae_model.n_attributes:
    show_iterative_editing()


# ### Arithmetic with hand-picked samples
# 
# The GAN has no encoder, but the latent vectors of its own samples are known. Pick three
# cells (row, column) of the grid in section 6: the first minus the second plus the third.
# After the quick training on CryptoPunks, these three are a man with a tuft of hair and a
# vape, another with such hair and no vape, and a woman.

FIRST, SECOND, THIRD = (9, 2), (1, 2), (5, 1)

picked = [grid_latents[10 * row + column] for row, column in (FIRST, SECOND, THIRD)]
result = picked[0] - picked[1] + picked[2]
images = gan_model.decode(np.stack([*picked, result]))
figure = image_grid(images, 4, titles=["first", "− second", "+ third", "="], cell=1.0)
show_figure(figure, "hand-picked-arithmetic", output)


# **What to notice.** The woman gets the vape. Attributes are inputs of this GAN, so that
# much was to be expected; the noise, which is added and subtracted as well, changes her face
# a little.

# ## 8. How good are the samples?
# 
# **Question.** How can one measure whether new images look real and vary enough?
# 
# Metrics of sample quality compare two *sets* of images, generated and real. They need
# features in which similar images are close: here the last hidden layer of the attribute
# classifier (for images without labels, a network with fixed random weights).

# - **Fréchet distance** in these features: compares means and covariances of the two sets
#   ([Heusel et al. 2017](https://arxiv.org/abs/1706.08500)). It is not "FID", whose
#   features are Inception's. The **kernel distance** does the same without assuming
#   Gaussians; it is estimated without bias, so it may fall slightly below 0 ([Binkowski
#   et al. 2018](https://arxiv.org/abs/1801.01401)).
# - **precision**: the fraction of samples near a real image. **density**: the same,
#   counting how many real images are near; it may exceed 1. **recall**: the fraction of
#   real images near a sample, which falls if kinds of images are missing. **coverage**:
#   the fraction of real images whose own neighborhood has a sample. ([Kynkäänniemi et al.
#   2019](https://arxiv.org/abs/1904.06991), [Naeem et al.
#   2020](https://arxiv.org/abs/2002.09797))
# - **near-duplicate rate**: samples equal or very close to a training image.
#   **diversity**: the mean distance of the pixels of two samples.

# Two more metrics are specific to these images: the **fraction of pixels on the
# palette**, and the **attribute-frequency error**, the mean difference between how often
# real and generated images have an attribute.
# 
# No value means anything alone. Each stands beside the *real-vs-real reference*: what as
# many test images score against the same training images. Distances in different features
# or with different numbers of images must never be compared.

LABELS |= {
    "frechet_distance": "Fréchet distance",
    "kernel_distance": "kernel distance",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "diversity": "diversity",
    "near_duplicate_rate": "near-duplicate rate",
    "duplicate_rate_before_rejection": "duplicate rate before rejection",
    "palette_fraction": "pixels on the palette",
    "attribute_frequency_error": "attribute-frequency error",
}


def evaluate_samples(trained, prior):
    """Evaluate as many samples as there are test images, and record the result."""
    estimates = evaluate.evaluate_samples(trained, dataset, extractor, prior)
    name = f"samples-{trained.task}" + ("-mixture-prior" if prior == "mixture" else "")
    config = {**trained.config, "prior": prior, "features": extractor.version}
    records.record_result(output, name, estimates, config=config)
    return estimates


PRIORS = {"normal": "N(0, I)", "mixture": "mixture prior"}
columns = {
    describe(trained, PRIORS[prior]): evaluate_samples(trained, prior)
    for trained, prior in (
        (cae_model, "mixture"),
        (vae_model, "normal"),
        (vae_model, "mixture"),
        (gan_model, "normal"),
    )
}
reference = {
    name.removesuffix("_reference"): estimate
    for name, estimate in columns[describe(gan_model, PRIORS["normal"])].items()
    if name.endswith("_reference")
}
show_estimates(columns | {"real test images (reference)": reference})


# **What to notice.** The last column is the real-vs-real reference: two sets of *real*
# images are not at distance 0 from each other either. The duplicate rate before rejection
# is the fraction of first samples that equal a training image and are replaced.
# 
# All models have a recall below the reference: some of the diversity is missing. (A
# precision *above* it is no merit: such samples are more typical than real images are.)
# VAE and GAN cover most kinds of CryptoPunk because they are *conditional*: the
# attributes of their samples are those of training images. Which attributes go together
# they need not learn, only how to render them.

# The VAE's samples differ from real images in small marks that it has not learned yet and
# in stray dots, more of them with $\mathcal{N}(0, I)$ than with the mixture prior. The
# GAN's colors are close to those of the palette, but seldom exact, and it leaves a stray
# pixel here and there. The CAE's samples are soft. The features are less sensitive to
# that than we are, but its low recall shows that much of the diversity is missing. All
# models were trained for minutes only; section 9 shows what more epochs bring, in other
# features (of a classifier that was trained longer), in which the reference is another.
# 
# **Take away.** A distance means something only beside that of unseen real images.

# ## 9. Recorded experiments
# 
# **Question.** What do longer training, other data and other settings change?
# 
# These runs were made beforehand and are recorded in `results/experiments/`;
# `latent-arithmetic experiments run` repeats whatever is missing. Training schedules are
# those of the profile `full`, except where a name ends in the epochs. With several
# seeds, a row shows the mean over seeds and its 95% interval.
# 
# - *default*: the configuration used above; *-40-epochs* the same for twice as many.
# - *baseline*: the assignment's model: as many channels in every layer, squared error or
#   binary cross-entropy, no gradient penalty, unconditional, with its own batch sizes and
#   learning rates.
# - *unconditional*: the default configuration without attributes.
# - *gaussian-likelihood*: the default VAE with neither palette nor discriminator.
# - *relativistic-loss*: the default GAN with R3GAN's loss and $\gamma = 1$.
# - *kernel-size-2*, *-3*, *-5*: the default GAN on photographs with other kernel sizes in
#   the discriminator than 4.

# The second column of each table says what a model is **conditional on**; of each kind of
# model, the unconditional ones stand first. VAE samples are of the mixture prior.
# Distances are in the features of a longer-trained classifier, so they compare with their
# own reference and not with section 8. On faces the baselines and all VAEs had 8 epochs
# of 8,000 images, all other GANs 16. Where *seeds* says 1, brackets are over samples or
# test images.
# 
# The *edit success rate* (section 7) is with attribute embeddings where the model is
# conditional, else with least-squares vectors, which use the labels of training images
# after training. The *exact-match rate* is that of edits with a ground truth.

recorded = records.read_groups("experiments")
GROUP = re.compile(r"(.+?)-(cae|vae|gan)-(.+?)(-\d+-epochs)?")


def recorded_models(ablations=False):
    """(group, data, task, preset, conditional on) of the recorded image models: by
    dataset and task, the unconditional ones first."""
    found = []
    for group in recorded:
        match = GROUP.fullmatch(group)
        data, task, preset, epochs = match.groups("") if match else ("",) * 4
        known = presets.PRESETS.get(task, {})
        is_ablation = epochs in ("-4-epochs", "-8-epochs")
        if preset not in known or is_ablation != ablations:
            continue
        conditional = getattr(known[preset].config, "conditional", False)
        given = "attributes" if conditional else "nothing"
        order = [data != CRYPTOPUNKS_NAME, data, list(presets.PRESETS).index(task)]
        order += [conditional, list(known).index(preset), epochs]
        found.append((order, (group, data, task, preset, given)))
    return [model for _, model in sorted(found)]


def show_recorded(models, columns):
    """A row for each group of recorded runs. columns: heading -> names of estimates,
    of which the first that was recorded is shown."""
    rows = []
    for group, *_, given in models:
        estimates = recorded[group].estimates
        cells = [
            next((estimates[name] for name in names if name in estimates), None)
            for names in columns.values()
        ]
        if any(cell is not None for cell in cells):
            rows.append([group, given, estimates["frechet_distance"].seeds, *cells])
    if rows:
        show_table(rows, ["recorded runs", "conditional on", "seeds", *columns])
    else:
        print("no such runs are recorded here; they come with the project")


show_recorded(
    recorded_models(),
    {
        "Fréchet distance": ["frechet_distance"],
        "real vs. real": ["frechet_distance_reference"],
        "precision": ["precision"],
        "recall": ["recall"],
        "coverage": ["coverage"],
        "diversity": ["diversity"],
        "near-duplicate rate": ["near_duplicate_rate"],
    },
)


# **What to notice: samples.** The baseline GAN on CryptoPunks generates one head in
# various shades (figure below): *mode collapse* at its plainest. That head lies among
# real ones, so its precision is high; its recall is 0 and its coverage next to 0.
# Precision alone proves nothing.
# 
# Conditioning on attributes halves the VAE's distance: compare *unconditional* with
# *default*. Twice the epochs (*-40-epochs*) bring the VAE next to nothing, neither a
# smaller distance nor better editing.

# The default GANs on CryptoPunks are nearer to real images than those with the
# relativistic loss in each of three pairs of runs, and edit better. (The latter have ten
# times the gradient penalty as well. With the default penalty the relativistic loss was
# not tried; with ten times the penalty for both, in short runs, the non-saturating loss
# was nearer, too.) On UTKFace the default is far nearer, on anime faces about as near and
# less diverse. With images of your own try both; the other is `--preset
# relativistic-loss`.

show_recorded(
    recorded_models(),
    {
        "edit success rate": [
            "edit_attribute_embedding_success_rate",
            "edit_least_squares_success_rate",
        ],
        "exact-match rate": [
            "edit_attribute_embedding_exact_match_rate",
            "edit_least_squares_exact_match_rate",
        ],
        "success rate, iterative": ["edit_iterative_success_rate"],
        "exact-match rate, iterative": ["edit_iterative_exact_match_rate"],
        "PSNR": ["psnr"],
    },
)


# **What to notice: editing.** All success rates of *default* models are of conditional
# models. Some failures are the classifier's: it misses attributes in real images, too,
# such as an earring under a hood or long hair, a smile under a beard, or the red cheeks
# of women, which it never detects. (The column is empty where no exact match was
# counted.)
# 
# Where a ground truth exists, no classifier is needed: the default VAE then produces it
# in every pixel nearly always. Those edits are common ones; the thousand edits ask for
# rare attributes as often as for common ones.

# *Iterative editing.* On CryptoPunks nearly two more of a hundred edits succeed, as the
# classifier counts. Exact matches do not become more: now and then the encoder
# misreads an image that was right, and it is edited further. On anime faces, whose
# attributes are the years in which they were drawn, two in three edits succeed in place
# of two in five, and on UTKFace one in five in place of one in seven.
# 
# There, more than the edit is corrected, since a mere reconstruction has lost attributes,
# too. Encoder and classifier were trained on the same images, so what one takes for a
# sign of age the other may take for it as well. Looked at, a moustache appears and an
# adult gets a child's face, while much of a person's identity is lost in the
# reconstruction already.

# ### Side by side
# 
# Samples of one seed, not selected. Each row names the model and says whether it is
# conditional on attributes. All VAEs sample from the mixture prior.

SIDE_BY_SIDE = {
    "vae": ("baseline", "gaussian-likelihood", "default"),
    "gan": ("baseline", "relativistic-loss", "kernel-size-3", "default"),
}


def show_recorded_samples(models, name, count, real=None):
    """A row of recorded samples of each model, below real images if there are any."""
    labels, rows = [], []
    for group, _, task, preset, given in models:
        samples = records.read_recorded_images(f"{group}-seed-1")
        if samples is not None:
            conditional = "unconditional" if given == "nothing" else "conditional"
            label = f"{task.upper()}, {preset}"
            labels.append(label if preset == conditional else f"{label}\n{conditional}")
            rows.append(samples[:count])
    if not rows:
        print(f"{name}: no samples are recorded here; they come with the project")
        return
    if real is not None and real.shape == rows[0].shape:
        labels, rows = ["real", *labels], [real, *rows]
    figure = image_grid(np.concatenate(rows), count, row_labels=labels)
    show_figure(figure, name, output)


def show_side_by_side(data, count=10):
    """Samples of the models that are compared on a dataset."""
    models = [
        model
        for model in recorded_models()
        if model[1] == data
        and model[3] in SIDE_BY_SIDE.get(model[2], ())
        and not model[0].endswith("-epochs")
    ]
    real = dataset.test[:count] if data == DATA else None
    show_recorded_samples(models, f"side-by-side-{data}", count, real)


show_side_by_side(CRYPTOPUNKS_NAME)


# **What to notice.** The baseline VAE mixes colors and leaves gray dots; the default VAE
# has single wrong marks. The baseline GAN generates the same head again and again. The
# backgrounds of the default GAN are faintly uneven, those with the relativistic loss more
# so. The baselines are unconditional, the others are conditional.

for data in ("utkface", "anime-faces"):
    show_side_by_side(data)


def show_new_images(count=12):
    """Recorded samples of baseline and default models on three datasets."""
    kinds = {CRYPTOPUNKS_NAME: "punks", "utkface": "photographs"}
    kinds["anime-faces"] = "drawings"
    found = {}
    if DATA == CRYPTOPUNKS_NAME:
        found["punks\nreal"] = dataset.test[:count]
        found["punks\nCAE, N(0, I)"] = cae_model.generate(count, seed=1)
        found["punks\nCAE, mixture"] = cae_model.generate(count, 1, prior="mixture")
    found |= {
        f"{kind}\n{task.upper()}, {preset}": records.read_recorded_images(
            f"{data}-{task}-{preset}-seed-1"
        )
        for data, kind in kinds.items()
        for task in ("vae", "gan")
        for preset in ("baseline", "default")
    }
    if any(samples is None for samples in found.values()):
        print("new images: no samples are recorded here; they come with the project")
        return
    rows = np.concatenate([samples[:count] for samples in found.values()])
    figure = image_grid(rows, count, row_labels=list(found), cell=0.4)
    show_figure(figure, "new-images", output)


show_new_images()


# **What to notice.** (Real faces are no part of this project and are not shown. The last
# figure puts all data sets side by side, as in the report; its CAE is this notebook's.) A
# VAE with squared errors alone (*baseline*, *gaussian-likelihood*) is soft: the average
# of all images that fit is the optimum. With the adversarial loss (*default*) faces have
# pupils, teeth and strands of hair, under a fine grain, and some are smeared. Its
# reconstructions are farther from the original pixel by pixel (*PSNR*): a sharp guess
# that is wrong costs more than a blur.

# The baseline GAN repeats one mottled pattern on UTKFace and hardly shows a face on
# anime. The default GAN shows recognizable faces on UTKFace, many of them torn, and anime
# faces with hair, eyes and mouth that vary less than real ones (see *recall*); all have
# checkerboard artifacts. With the relativistic loss a grid of color noise remains on
# both, and anime faces vary more.
# 
# The comparison of baseline and default is not even: the baselines had half as many epochs.

# Linear interpolation between random latent vectors of the default VAE on UTKFace
# (conditional; trained for 8 epochs, recorded), as in section 6: age, pose and light
# change gradually, and every step is a face.

faces = records.read_recorded_images("utkface-vae-interpolation-seed-1")
if faces is None:
    print("no interpolation between faces is recorded here; it comes with the project")
else:
    labels = ["first pair", "second pair"]
    figure = image_grid(faces, 10, row_labels=labels)
    show_figure(figure, "interpolation-faces", output)


# *Kernel sizes of the discriminator* (section 5) matter on anime faces: with 3x3, faces
# are smeared and look much alike, and are about twice as far from real ones as with 4x4.
# On UTKFace 4x4 brings less. With 2x2 anime faces are as far as with 3x3; with 5x5 about
# as near as with 4x4, and more diverse (*recall*, *coverage*).
# 
# So reading all pixels equally often seems neither enough (2x2) nor needed (5x5), as far
# as three runs of each can tell. What the nearer ones share is that a layer sees 4 or 5
# pixels at once, with as many more parameters. Whether evenness adds to that these runs
# do not show: from 2 to 3 and from 4 to 5 evenness is lost while size is gained. 

# ### Ablation study
# 
# The default configuration with one or two values changed, on CryptoPunks. These runs are
# short (4 epochs for the VAE, 8 for the GAN; one run each), so they compare with one
# another and not with the longer ones above. All but the
# *unconditional* ones are conditional on attributes. *N(0, I)* is the Fréchet distance
# without the mixture prior; *diversity* the mean distance of two samples (of test images:
# 0.194); *duplicate rate* the fraction of first samples that equal a training image and
# are rejected. Editing is with least-squares vectors, for the GAN with its attribute
# inputs.

ablations = recorded_models(ablations=True)
show_recorded_samples(ablations, "ablations", 8)
show_recorded(
    ablations,
    {
        "Fréchet distance": ["frechet_distance"],
        "N(0, I)": ["normal_prior_frechet_distance", "frechet_distance"],
        "recall": ["recall"],
        "coverage": ["coverage"],
        "diversity": ["diversity"],
        "pixels on palette": ["palette_fraction"],
        "duplicate rate": ["duplicate_rate_before_rejection"],
        "edit success rate": [
            "edit_least_squares_success_rate",
            "edit_attribute_embedding_success_rate",
        ],
        "PSNR": ["psnr"],
    },
)


# **What to notice: VAE.** Of single settings *conditioning on attributes* brings most,
# with the mixture prior. Without it the VAE's distance more than doubles and the GAN's
# grows nearly tenfold in as many steps, and both lose diversity. This is also why such
# distances are to be read with care: a conditional model need not learn which
# combinations of attributes occur.
# 
# *The palette likelihood*: with a Gaussian, fewer than one pixel in ten has exactly a
# color of the palette. With the optimal sigma, samples of $\mathcal{N}(0, I)$ are far
# off, those of the mixture prior are not. *beta-1*: samples of $\mathcal{N}(0, I)$ are
# better than the default's, and reconstruction is 3 dB worse. *KL warm-up* and the
# *attribute weight* of 10 bring a little, which one run each cannot decide, and *free
# bits* next to nothing: hardly any latent holds less than 0.1 nats.

# **What to notice: GAN.** *Without gradient penalties* nearly half of the pixels have
# exactly a color of the palette, while with them the background stays faintly uneven. Ten
# times the penalty (*gamma-1*) costs distance, diversity and editing. *The relativistic
# loss* is farther from real images, with ten times the penalty and with none.
# *DiffAugment translation* (real and generated images are shifted at random before the
# discriminator sees them) falls far behind in so few steps; why was not examined. (One
# hypothesis: all CryptoPunks have the same position, and shifted ones do not.) *The EMA
# of the generator* changes little. With one run each, small differences mean nothing.

# Without gradient penalties the GAN was also trained as long as the default (table
# above). It is nearly as near, and its edits succeed more often. But it varies less what
# it is not conditional on, such as the skin (its kept samples all have the same one).
# Skin is no attribute, so the attribute classifier was not trained to see it; *diversity*
# shows it.
# 
# **Take away.** On CryptoPunks, with the mixture prior, attributes given to the model
# matter more than any other setting.

# ### Training speed
# 
# **Question.** Are the default models faster, and to what?
# 
# `make bench` measures the baseline and the default configuration in turns, in one run on
# an otherwise idle machine: images a second in a training step, and the time until the
# default GAN is as near to real CryptoPunks as the baseline is at its end. A value is the
# median of the repeats, all of which lie within the brackets. The *fraction of peak GEMM
# throughput* compares a step's operations a second with those of a large matrix product
# (GEMM) on the same machine. Where TensorFlow leaves oneDNN's kernels off, the package
# switches them on, for both. The default GAN and VAE are conditional, the baselines are
# not.

benchmarks = records.read_groups("benchmarks")
rows = []
for name, benchmark in benchmarks.items():
    if not name.startswith(("image-train", "gan-time")):
        continue
    ratios = benchmark.details[0].get("ratio_to_baseline", {})
    for key, estimate in benchmark.estimates.items():
        label = key.replace("_", " ")
        rows.append([label, estimate.seeds, estimate, ratios.get(key, "")])
if rows:
    show_table(rows, ["benchmark", "repeats", "median [min, max]", "times better"])
else:
    print("no benchmarks of image models are recorded here; `make bench` measures them")


# **What to notice.** In a second, the default models are trained on more images, but they
# reach a smaller fraction of the machine's peak. The baseline's layers have 128 channels
# everywhere, even where the feature map is large: that is about four (VAE) to five times
# (GAN) the work for an image, in large products. The default models have few channels
# there, so that normalization and the softmax over the palette, which are no products,
# weigh more.
# 
# The default GAN is nearer to real images after its first epoch than the baseline at its
# end. That is a comparison with the baseline's *end*. It hardly improves after its own
# first epoch, and against that the default is two to three times as fast. Only the
# default is conditional on attributes.
# 
# **Take away.** A small network is faster by the clock, not by the use it makes of the
# processor.

# ## 10. VAE and GAN side by side
# 
# **Question.** When is which of the two the better model?
# 
# Real test images, and samples of the VAE (mixture prior) and of the GAN. Both are
# conditional if the images have attributes.

real = dataset.test[-10:]
samples = [
    vae_model.generate(len(real), seed=21, prior="mixture"),
    gan_model.generate(len(real), seed=21),
]
rows = np.concatenate([real, *samples])
labels = ["real", describe(vae_model), describe(gan_model)]
figure = image_grid(rows, len(real), row_labels=labels)
show_figure(figure, "real-vae-gan", output)


# | | VAE | GAN |
# |---|---|---|
# | optimized | a bound (ELBO) on the likelihood of every training image | a game of two networks; no likelihood. If the discriminator were perfect, the generator of Goodfellow's original game would minimize the Jensen-Shannon divergence of real and generated images |
# | training | one loss that falls; stable, with a few weights to choose | two losses, neither of which may win; sensitive to learning rates, penalties, batch size |
# | from image to code | yes, the encoder; hence reconstruction, compression, editing of given images | no |
# | typical errors | blur with squared errors; stray dots and half accessories with a palette | missing modes (mode collapse), stray pixels |
# | why | given the code, pixels are independent; what the code leaves open is decided separately in every pixel | any image that the discriminator takes for real is good enough |
# | all modes covered? | the loss asks for it: an image without probability costs a lot. In practice not fully (recall in section 8) | not enforced, unless it is conditional |
# | latent space | shaped by the KL term toward a Gaussian prior | given as a Gaussian; the generator arranges images in it |

# Both decode Gaussian noise with the *same* kind of network. What differs is the training
# signal. The VAE's loss compares every pixel of every image with the right answer. The
# GAN's loss says only whether the whole image looks real, according to a discriminator
# that is trained along with it.
# 
# **Take away.** A VAE compares an image with its target and can encode; a GAN only asks
# whether an image looks real, and cannot. Take a VAE to encode or edit given images, and
# where training has to be stable. Take a GAN where images have no palette and blur is
# worse than a distorted face. For new photographs, our VAE with a discriminator and our
# GAN were about as near to real ones.

# ## 11. How long it took, and exercises
# 
# **Question.** What did training cost, and what can you try next?
# 
# The table says how long this notebook's models were trained on the machine it ran on.

rows = []
for each in (cae_model, vae_model, gan_model):
    history = each.run.history
    rows.append([each.task.upper(), history.epochs, f"{history.seconds:.0f} s"])
show_table(rows, ["model", "epochs", "training"])


# 1. *Your own images.* Change `DATA` in section 2 to a folder of your own, and run all.
#    Which of the three models suffers most if there are only a few hundred images?
#    Compare samples, and the PSNR of CAE and VAE. (The cells picked in section 7 then
#    show other images.)
# 2. *Blur.* Train a VAE with the preset `gaussian-likelihood` (below). Where do its
#    reconstructions and samples differ from those of section 4, and why? For other epochs
#    add `overrides={"epochs": 10}` and take another folder: one that holds another run is
#    refused.
# 
# Set `RUN = True` and run the cell.

RUN = False
TASK, PRESET = "vae", "gaussian-likelihood"

if RUN:
    folder = output.models / f"exercise-{TASK}-{PRESET}-{Path(DATA).stem}"
    exercise = pipeline.train(
        TASK, folder, profile=profile, data=dataset, preset=PRESET
    )
    show_reconstructions(exercise, "exercise-reconstructions")
    samples = exercise.generate(20, seed=1, prior="mixture")
    show_figure(image_grid(samples, 10), "exercise", output)
