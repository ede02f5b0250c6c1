# Generated from notebooks/generative_models.ipynb by nbconvert; edit the notebook.

# # Arithmetic in a latent space
# 
# A generative model learns to make new pictures that could have been among those it was
# shown. All three models here do it through a **latent space**: a picture is described by
# a handful of numbers, a *code* or *latent point* $z$, and a network turns any such point
# into a picture. What differs is how the network learns to do so:
# 
# | model | learns by | can |
# |---|---|---|
# | convolutional autoencoder (CAE) | copying pictures through a narrow code | compress and restore |
# | variational autoencoder (VAE) | the same, with codes kept in a known cloud | restore and invent |
# | generative adversarial network (GAN) | fooling a second network | invent |
# 
# The notebook follows the assignment: how the models are built (1), own pictures (2),
# training of all three (3 to 5), reconstructions, novel pictures, ways between two random
# latent points (6), and how VAE and GAN work and differ (7).
# 
# Run it from top to bottom. What has been trained is kept below `build/` and is not
# trained again; to start over, delete that folder. The environment variable
# `LATENT_ARITHMETIC_PROFILE` says how much is trained: `smoke` (seconds, to see whether
# all runs), `quick` (minutes on a laptop, the default) or `full` (hours: larger
# budgets, more seeds).

import sys
from pathlib import Path

for folder in (Path.cwd(), *Path.cwd().parents):
    if (folder / "latent_arithmetic").is_dir():
        sys.path.insert(0, str(folder))
        break

import matplotlib.pyplot as plt
import numpy as np

from latent_arithmetic.figures import picture_grid, show_figure, use_style
from latent_arithmetic.images import (
    autoencoder,
    datasets,
    designs,
    evaluation,
    gan,
    latent,
    networks,
    tasks,
    vae,
)
from latent_arithmetic.notebook import show_source
from latent_arithmetic.results import record
from latent_arithmetic.workspace import open_workspace

workspace = open_workspace()
profile = workspace.profile
use_style()
print(f"profile {profile.name}; everything is written to {workspace.root.name}/")


# ## 1. How the models are built
# 
# Every network of this notebook comes from one of two bricks. `build_conv_net` goes down:
# each layer is a convolution with a stride of 2, so the picture loses half of its side
# while it gains channels, and a dense layer reads the last, smallest map. Its channels
# may be *fixed* (one number for all layers) or *hierarchical* (one number per layer);
# kernels, strides, activation, normalisation and input size are arguments too.

show_source(networks.build_conv_net)


# `build_deconv_net` is its mirror: a dense layer makes the smallest map, and every layer
# doubles its side. A *transposed* convolution writes a small patch for every pixel it
# reads. Where patches overlap unevenly a checkerboard appears; a kernel of 4 with a
# stride of 2 overlaps evenly.

show_source(networks.build_deconv_net)


# The same bricks, three forms: fixed and hierarchical channels, small and large strides.
# Below each is what every layer hands on.

def shapes(network):
    """The shape after every layer that changes it."""
    found = [network.input_shape[1:]]
    for layer in network.layers[1:]:
        if layer.output.shape[1:] != found[-1]:
            found.append(tuple(layer.output.shape[1:]))
    return " -> ".join("x".join(map(str, shape)) for shape in found)


for form in (
    {"channels": 128, "n_layers": 4},
    {"channels": (24, 48, 96, 192), "kernel_size": (2, 4, 4, 4)},
    {"channels": (32, 64), "strides": 4, "kernel_size": 5, "normalisation": "batch"},
):
    down = networks.build_conv_net((64, 64, 3), 10, **form)
    up = networks.build_deconv_net(10, (64, 64, 3), **form)
    print(form)
    print(f"  down: {shapes(down)}   ({down.count_params():,} weights)")
    print(f"  up:   {shapes(up)}   ({up.count_params():,} weights)\n")


# **What to notice.** Fixed channels spend most of the work where the picture is still
# large; hierarchical ones move it to the small maps, where a channel stands for something
# larger than an edge.
# 
# The three models differ only in the arguments they give to the bricks:

show_source(designs.Canvas, designs.design_cae, designs.design_vae, designs.design_gan)


# ## 2. Pictures of our own
# 
# We use the [CryptoPunks](https://www.larvalabs.com/cryptopunks): 10,000 different
# portraits in pixel art, 24 by 24 pixels, each put together from a type (human, zombie,
# ape, alien) and some of 87 accessories. They are small enough for a laptop, and hard in
# an interesting way: a pixel is right or wrong, so every blur and every stray dot shows.
# 
# Preprocessing to $64 \times 64 \times 3$: the transparent background becomes the
# official `#638596`, a border of 4 pixels makes 24 into 32, and every pixel is doubled.
# No pixel is ever interpolated. The networks know of the doubling (`Canvas.doubled`):
# their outermost layer works on blocks of 2 by 2, which costs a quarter and cannot blur.
# 
# **Your own pictures: change one line.** `DATA` may be the path of a folder, a .zip, an
# .npz or .npy file with pictures of any kind and size. They are cropped to the central
# square and resized; unreadable ones are skipped and listed. For example:
# 
# | pictures | link |
# |---|---|
# | faces, UTKFace | https://susanqq.github.io/UTKFace/ |
# | anime faces | https://www.kaggle.com/datasets/soumikrakshit/anime-faces |
# | butterflies | https://www.kaggle.com/datasets/phucthaiv02/butterfly-image-classification |
# | portraits, Rijksmuseum | https://www.rijksmuseum.nl/en/rijksstudio |

DATA = "cryptopunks"  # or a path, such as "my_pictures/" or "utkface-64.zip"
SIZE = 64

pictures = datasets.load_pictures(DATA, SIZE, limit=profile.pictures)
print(pictures.report)
for name in ("train", "validation", "test"):
    part = getattr(pictures, name)
    print(f"{name:>10}: {part.shape} {part.dtype}, {part.min()} to {part.max()}")
print(f"pixels come doubled: {pictures.has_doubled_pixels}")


real = pictures.test[:40]
show_figure(picture_grid(real, columns=10), "real-pictures", workspace)

config = {"data": pictures.name, "size": SIZE}
sizes = {name: len(getattr(pictures, name)) for name in ("train", "validation", "test")}
skipped = len(pictures.report.skipped)
record(
    workspace,
    "dataset",
    {**sizes, "total": sum(sizes.values()), "size": SIZE, "skipped": skipped},
    config=config,
);


# **What to notice.** Few colours, large flat areas, hard edges; the background is one
# exact colour. Hair, hats and glasses vary most. The split is decided by each picture's
# own content, and exact duplicates are dropped first, so no test picture was ever trained
# on.
# 
# ## 3. The convolutional autoencoder
# 
# An encoder squeezes the picture $x$ of 12,288 numbers into a code $z$ of 64, and a
# decoder restores it. Both learn to make the squared error small:
# 
# $$ z = \mathrm{enc}(x), \qquad \hat{x} = \mathrm{dec}(z), \qquad
# \mathcal{L}_{\mathrm{CAE}} = \lVert x - \hat{x} \rVert^2 . $$
# 
# The code is too small to copy pixels, so it has to hold what tells one portrait from
# another.

show_source(autoencoder.Autoencoder)


def train(task):
    """The trained model; one that is already there is loaded."""
    folder = workspace.models / f"{task}-{Path(DATA).stem}-{SIZE}"
    return tasks.train_task(task, folder, profile=profile, data=pictures)


def show_reconstructions(trained, name):
    """Test pictures, and below each what the model makes of it."""
    half = min(10, len(pictures.test) // 2)
    first, second = pictures.test[:half], pictures.test[half : 2 * half]
    rows = [first, trained.reconstruct(first), second, trained.reconstruct(second)]
    labels = ["real", "restored"] * 2
    figure = picture_grid(np.concatenate(rows), half, row_labels=labels)
    show_figure(figure, name, workspace)


def measure(trained, measured):
    """Print and record what was measured."""
    for key, number in measured.items():
        print(f"{key:>20}: {getattr(number, 'value', number):.4g}")
    seconds = trained.run.history.seconds
    settings = {**config, **trained.settings}
    weights = trained.model.count_params()
    numbers = {**measured, "parameters": weights, "training_seconds": seconds}
    record(workspace, trained.task, numbers, config=settings, seconds=seconds)


cae_model = train("cae")
measure(cae_model, evaluation.measure_reconstruction(cae_model, pictures))
show_reconstructions(cae_model, "cae-reconstructions")


# **What to notice.** PSNR, $-10 \log_{10}$ of the mean squared error, is measured on test
# pictures; `mean_picture_psnr` is what the average training picture would score, the
# floor to beat. Type, hair and most accessories come through. Rare accessories suffer
# first: with little to learn them from, the decoder replaces them by something common.
# 
# The autoencoder can restore but not invent. Nothing in its loss says where in the latent
# space codes lie, so a random point is most likely a place the decoder has never seen:

show_figure(picture_grid(cae_model.generate(20, seed=1), 10), "cae-samples", workspace)


# ## 4. The variational autoencoder
# 
# The VAE ([Kingma and Welling 2014](https://arxiv.org/abs/1312.6114)) repairs exactly
# this. Pictures are thought to be made in two steps, $z \sim \mathcal{N}(0, I)$, then $x
# \sim p(x \mid z)$. The encoder answers not with a point but with a small Gaussian, $q(z
# \mid x) = \mathcal{N}(\mu(x), \operatorname{diag} \sigma^2(x))$, and the loss is the
# negative *evidence lower bound* (ELBO), an upper bound on $-\log p(x)$:
# 
# $$ \mathcal{L}_{\mathrm{VAE}} =
# \underbrace{-\,\mathbb{E}_{q(z \mid x)} \log p(x \mid z)}_{\text{reconstruction}} +
# \underbrace{\tfrac{1}{2} \sum_j \left( \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2 \right)
# }_{D_{\mathrm{KL}}(q(z \mid x) \,\Vert\, \mathcal{N}(0, I))} . $$
# 
# The first part wants codes that tell pictures apart; the second pulls every one of them
# towards the same cloud around 0, so that together they fill it and a random point of the
# cloud is a place the decoder knows. A sample has no gradient, but it can be written as
# $z = \mu + \sigma \varepsilon$ with $\varepsilon \sim \mathcal{N}(0, I)$, and then
# gradients pass through $\mu$ and $\sigma$: the *reparameterisation trick*.
# 
# How much is a squared error worth in units of KL? With a Gaussian decoder of standard
# deviation $s$ over $D$ pixel values, the reconstruction term is
# 
# $$ \frac{\lVert x - \hat{x} \rVert^2}{2 s^2} + D \log s + \tfrac{D}{2} \log 2 \pi . $$
# 
# So the weight is $1 / 2 s^2$, and $s$ is a choice with a meaning: how far a pixel may be
# off. With $s^2 = \tfrac{1}{2}$ the term is the course's plain squared error, and small
# accessories are not worth their KL. The best $s$ for the likelihood is the root of the
# mean squared error itself (`sigma=None`, [Rybkin et al.
# 2021](https://arxiv.org/abs/2006.13202)); for pixel art, which can be restored almost
# exactly, that spends very many nats on errors nobody sees, and codes fill the cloud too
# thinly to sample from. We stay between the two. KL is summed over latents and errors
# over pixels; both are averaged over the batch.

show_source(vae.kl_divergence, vae.gaussian_error, vae.VAE)


vae_model = train("vae")
measure(vae_model, evaluation.measure_reconstruction(vae_model, pictures))
show_reconstructions(vae_model, "vae-reconstructions")


# Novel pictures: draw $z \sim \mathcal{N}(0, I)$ and decode it. Below them, the same
# points with every value further than 2 standard deviations from 0 drawn again
# (*truncation*), and scaled to a sixth.

def show_samples(trained, name, seed=3):
    """Samples as they come, truncated, and with a sixth of the noise."""
    rows = [
        trained.generate(20, seed),
        trained.generate(10, seed, truncation=2.0),
        trained.generate(10, seed, scale=1 / 6),
    ]
    labels = ["sampled", "", "at most 2 SD", "noise / 6"]
    figure = picture_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, name, workspace)


show_samples(vae_model, "vae-samples")


# **What to notice.** Restored pictures are close, and now random points mean something
# too. But a squared error is smallest for the *average* of all pictures that fit, so
# where the code leaves something open, such as a rare accessory, the VAE paints a
# mixture. With a sixth of the noise all samples huddle around the origin and resemble the
# average punk: variety is distance from 0.
# 
# ## 5. The generative adversarial network
# 
# Two players. The **generator** $G$ turns noise $z$ into a picture; the **discriminator**
# $D$ gives a picture a number, high for real. The course's form of the game ([Goodfellow
# et al. 2014](https://arxiv.org/abs/1406.2661)) is binary cross-entropy,
# 
# $$ \mathcal{L}_D = \mathbb{E}\left[ f(-D(x)) + f(D(G(z))) \right], \qquad
# \mathcal{L}_G = \mathbb{E}\left[ f(-D(G(z))) \right], \qquad f(t) = \log(1 + e^t). $$
# 
# It asks of every picture alone whether it is real. A generator that has found one
# convincing picture is content: *mode collapse*. The relativistic form ([R3GAN, Huang et
# al. 2024](https://arxiv.org/abs/2501.05441)) compares pairs,
# 
# $$ \mathcal{L}_D = \mathbb{E}\left[ f(D(G(z)) - D(x)) \right] +
# \tfrac{\gamma}{2} \, \mathbb{E} \left[ \lVert \nabla D(x) \rVert^2 +
# \lVert \nabla D(G(z)) \rVert^2 \right], \qquad
# \mathcal{L}_G = \mathbb{E}\left[ f(D(x) - D(G(z))) \right], $$
# 
# so a generated picture has to look real beside *every* real one. The penalties (R1 and
# R2) keep the slope of $D$ small where pictures are, which keeps the game stable. They
# need a gradient inside a loss; we estimate it with a finite difference along a random
# direction $e$: $\mathbb{E} \left( D(x + s e) - D(x) \right)^2 / s^2 = \lVert \nabla D
# \rVert^2$ for small $s$. The first form is one argument away, `loss="binary"`.
# 
# In code both players share one loss. `stop_gradient` makes the pictures constants in
# $D$'s part and $D$'s weights constants in $G$'s part, so plain `fit()` trains both. An
# exponential moving average of $G$'s weights draws the samples: a single step of the game
# is a gamble, their average is not.

show_source(gan.GAN)


gan_model = train("gan")
measure(gan_model, evaluation.measure_samples(gan_model, pictures))

snapshots = gan_model.snapshots()
labels = [f"step {step:,}" for step in snapshots]
rows = np.concatenate([images[:10] for images in snapshots.values()])
show_figure(picture_grid(rows, 10, row_labels=labels), "gan-progress", workspace)


# **What to notice.** The same ten latent points, time after time. First comes the
# background, then the place of the head, then light and dark, at last single pixels. A
# point keeps its character once it has found one.

show_samples(gan_model, "gan-samples")


# ### Learning curves, and what healthy ones look like

def plot_losses(axis, trained, names, title):
    """One curve for each of the named losses, against passes over the pictures."""
    for name in names:
        values = trained.run.history.losses[name]
        axis.plot(np.arange(1, len(values) + 1), values, marker=".", label=name)
    axis.set(title=title, xlabel="epoch")
    axis.locator_params(axis="x", integer=True)
    axis.legend()


figure, axes = plt.subplots(1, 4, figsize=(10, 2.4))
plot_losses(axes[0], cae_model, ["loss"], "CAE: squared error")
axes[0].set_yscale("log")
plot_losses(axes[1], vae_model, ["reconstruction"], "VAE: nats")
plot_losses(axes[2], vae_model, ["kl"], "VAE: nats")
plot_losses(axes[3], gan_model, ["generator", "discriminator"], "GAN: two players")
axes[3].axhline(np.log(2), color="grey", linestyle=":", linewidth=1)
show_figure(figure, "loss-curves", workspace)


# **What to notice.** The autoencoder's error falls, fast and then slowly. The VAE's
# reconstruction term falls too, even below 0: it is a *density*, and densities may exceed
# 1. Its KL settles at the price, in nats, of describing a picture; a KL near 0 would mean
# codes that say nothing (*posterior collapse*). A GAN's losses do **not** fall: each
# player's success is the other's failure. Healthy is a standoff, both near the dotted
# line, $\log 2$, which is a coin toss between real and generated. A discriminator's loss
# that runs to 0 while the generator's grows means that one player has won, and nobody
# learns any more. Only samples tell whether a GAN is good; their variety, measured above
# as the mean distance of two samples against that of two real pictures, tells whether it
# has collapsed.

# ## 6. Between two random points
# 
# Ten steps from one random latent point to another, on two ways. The straight line, $z_t
# = (1 - t) z_0 + t z_1$, and the arc,
# 
# $$ z_t = \frac{\sin((1 - t) \theta)}{\sin \theta} z_0 + \frac{\sin(t \theta)}{\sin \theta}
# z_1, \qquad \theta = \angle(z_0, z_1) . $$
# 
# In many dimensions normal points lie close to a sphere of radius $\sqrt{64} = 8$, and
# two of them at a right angle. The line cuts through the sphere, where training never
# was; the arc stays on it ([White 2016](https://arxiv.org/abs/1609.04468)).

show_source(latent.interpolate)

points = latent.random_latents(2, gan_model.model.latent_dim, seed=11)
for method in latent.METHODS:
    lengths = np.linalg.norm(latent.interpolate(*points, 10, method), axis=1)
    print(f"{method:>10}: distance from 0", lengths.round(1))


def show_interpolations(trained, name, seeds=(11, 12)):
    """Line and arc between two random points, for some pairs of points."""
    ways = [(seed, method) for seed in seeds for method in latent.METHODS]
    rows = [trained.interpolate(10, seed, method) for seed, method in ways]
    labels = [method for _, method in ways]
    figure = picture_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, name, workspace)


show_interpolations(vae_model, "interpolation-vae")
show_interpolations(gan_model, "interpolation-gan")


# **What to notice.** No step is a cross-fade of two pictures: hair becomes other hair,
# and skin changes its tone on the way. The VAE glides, since its decoder averages; the
# GAN's pictures keep their hard edges all the way. In the middle of the *line*, pictures
# are closer to the average; the arc keeps its contrast.
# 
# ### Arithmetic in the latent space
# 
# If directions mean something, the difference between the mean code of punks with and
# without an accessory should *be* that accessory. We take the codes of training pictures,
# and add the difference to test pictures.

def accessory_direction(name):
    """Mean code of training punks with the accessory, minus that of the others."""
    content = datasets.read_data(datasets.CRYPTOPUNKS)
    column = content["attribute_names"].tolist().index(name)
    wears = content["attributes"][:, column]
    images, _ = datasets.read_cryptopunks(SIZE)
    known = {image.tobytes() for image in pictures.train}
    known = np.array([image.tobytes() in known for image in images])
    with_it, without = images[known & wears], images[known & ~wears][:2000]
    if not len(with_it):
        return np.zeros(vae_model.model.latent_dim, "float32")
    means = [vae_model.encode(images).mean(axis=0) for images in (with_it, without)]
    return means[0] - means[1]


if DATA == datasets.PUNKS:
    codes = vae_model.encode(pictures.test[:10])
    rows, labels = [vae_model.decode(codes)], ["restored"]
    for accessory in ("hoodie", "bigShades", "luxuriousBeard", "female"):
        rows.append(vae_model.decode(codes + accessory_direction(accessory)))
        labels.append(f"+ {accessory}")
    figure = picture_grid(np.concatenate(rows), len(codes), row_labels=labels)
    show_figure(figure, "latent-arithmetic", workspace)


# **What to notice.** A hood grows around every head and a beard below every chin, while
# hair, glasses and skin stay who they were. Adding *female* changes mouth, eyes and jaw
# at once: the direction holds whatever goes together with the word in the data. And it is
# an average, so a hood over a hat comes out as half of each.
# 
# ## 7. VAE and GAN side by side

chosen = pictures.test[-10:]
invented = [model.generate(len(chosen), seed=21) for model in (vae_model, gan_model)]
rows = np.concatenate([chosen, *invented])
figure = picture_grid(rows, len(chosen), row_labels=["real", "VAE", "GAN"])
show_figure(figure, "real-vae-gan", workspace)


# | | VAE | GAN |
# |---|---|---|
# | what is optimised | a bound on the likelihood of every training picture | a game; no picture's likelihood is ever computed |
# | training | one loss that falls; hardly any tuning | a standoff of two; sensitive to rates, penalties, batch |
# | from picture to code | yes, the encoder; so reconstruction, compression, editing of given pictures | no |
# | typical fault | mixtures: averages over what the code leaves open | things left out (mode dropping), stray pixels |
# | why | a squared error is smallest for the mean of all that fits | any picture the discriminator believes is good enough |
# | every kind of picture covered? | yes, a picture without probability costs a lot | not enforced |
# | latent space | shaped by the KL term to a Gaussian cloud | given as a Gaussian cloud; the generator arranges pictures in it |
# 
# Both decode Gaussian noise with the *same* kind of network. What the network is told
# about its pictures is all that differs. The VAE is told for every picture how far each
# pixel is from one real picture, so it hedges. The GAN is told only whether the whole
# could be real, by a judge that learns along, so it commits: its edges are hard, because
# a blurred edge is the easiest thing to catch.
