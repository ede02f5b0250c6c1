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
# latent points (6), and how VAE and GAN work and differ (10). It goes on where pictures
# alone do not settle a question: a map of the latent space and arithmetic in it, with its
# success counted (7), the quality of the pictures as numbers beside what real pictures
# score (8), and a recorded study that compares our models with the course's, choice by
# choice (9).
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

from latent_arithmetic import speed, study
from latent_arithmetic.figures import (
    picture_grid,
    show_animation,
    show_figure,
    use_style,
)
from latent_arithmetic.images import (
    corrections,
    counterparts,
    directions,
    files,
    latent,
    prior,
    study_runs,
    tasks,
)
from latent_arithmetic.images.data import datasets, registry
from latent_arithmetic.images.models import (
    autoencoder,
    contest,
    designs,
    gan,
    likelihoods,
    networks,
    recipes,
    vae,
    vae_gan,
)
from latent_arithmetic.images.quality import evaluation, features
from latent_arithmetic.notebook import show_source
from latent_arithmetic.results import record, write_json
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
# stride of 2 overlaps evenly (section 5 asks whether it matters the other way round, too).

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
# And their parts are known, so what a model does to them can be counted.
# 
# Preprocessing to $64 \times 64 \times 3$: the transparent background becomes the
# official `#638596`, a border of 4 pixels makes 24 into 32, and every pixel is doubled.
# No pixel is ever interpolated. The networks know of the doubling (`Canvas.doubled`):
# their outermost layer works on blocks of 2 by 2, which costs a quarter and cannot blur.
# 
# **Other pictures: change one line.** `DATA` may be the name of a data set below, or the
# path of a folder, a .zip, an .npz or .npy file with pictures of any kind and size. They
# are cropped to the central square and resized; unreadable ones are skipped and listed. A
# data set that is not at hand is fetched from Kaggle where there is a network
# (`pip install kagglehub`); without one, the message says where to get it.

for card in registry.CARDS.values():
    print(f"{card.name:24s}{card.what}")
    print(f"{'':24s}labels: {card.labels}")
    print(f"{'':24s}licence: {card.licence}; {card.link}")


DATA = "cryptopunks"  # or another name, or a path such as "my_pictures/"
SIZE = 64

pictures = datasets.load_pictures(DATA, SIZE, limit=profile.pictures)
print(pictures.report)
for name in ("train", "validation", "test"):
    part = getattr(pictures, name)
    print(f"{name:>10}: {part.shape} {part.dtype}, {part.min()} to {part.max()}")
print(f"pixels come doubled: {pictures.has_doubled_pixels}")
print(f"{len(pictures.label_names)} attributes:", ", ".join(pictures.label_names[:12]), "…")


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
# **What is an error worth in units of KL?** That is a statement about pixels,
# $p(x \mid z)$. Two kinds are here:
# 
# - *Gaussian*: every value is normal around the decoder's, with standard deviation $s$.
#   Over $D$ values the term is $\lVert x - \hat{x} \rVert^2 / 2 s^2 + D \log s +
#   \tfrac{D}{2} \log 2 \pi$. With $s^2 = \tfrac{1}{2}$ it is the course's plain squared
#   error, in which small things are not worth their KL; the best $s$ for the likelihood is
#   the root of the mean squared error itself ([Rybkin et al.
#   2021](https://arxiv.org/abs/2006.13202)), and needs no tuning.
# - *Palette*: every pixel **is** one of a few colours, and the decoder gives each of them a
#   logit, as a classifier does. A squared error is smallest for the *average* of all
#   pictures that fit, and the average of two colours is a third one that no punk has. A
#   choice cannot be averaged: what is drawn is sharp, and of the palette's colours, by
#   construction. It is used whenever the training pictures have at most 256 colours;
#   photographs get the Gaussian with the best $s$, and a discriminator besides (section 5).
# 
# Three more things keep the KL in its place. Early in training, when the decoder knows
# nothing, the KL would push every code to 0 and keep it there (*posterior collapse*); its
# weight therefore grows from 0 in the first steps (*warm-up*, [Bowman et al.
# 2016](https://arxiv.org/abs/1511.06349)). *Free bits* ([Kingma et al.
# 2016](https://arxiv.org/abs/1606.04934)) can leave every latent some nats without a
# price. And the full price is too high for us: one punk in twenty has a mole, a single pixel.
# To know of it costs about as many nats as to get it wrong now and then, so the bound does
# not care whether codes hold moles, and arithmetic with codes does. We charge a fifth of the KL
# (`kl_weight`, [Higgins et al. 2017](https://openreview.net/forum?id=Sy2fzU9gl)): codes
# hold small and rare things, and fill the cloud around 0 less evenly. What is reported as
# bits is at the full price.
# 
# **Being told.** Where pictures have attributes $a$ (a wardrobe of 87 parts here, age and so
# on with faces), the VAE is told them while it learns, as the model M2 of [Kingma et al.
# 2014](https://arxiv.org/abs/1406.5298) is. Attribute $k$ gets a *place* $w_k$ in the latent
# space, which is learned along, and a code is $z = \sum_k a_k w_k + r$: what the attributes
# say, and the rest $r \sim q(r \mid x)$, for which alone the KL is paid. The decoder is thus
# shown what a mole is by those that have one, and moving from one attribute to another is
# adding $w$. The encoder learns to see the attributes, too (their cross-entropy is a part of the loss,
# ten times over, or marks of a few pixels are overlooked): a picture about which nobody says
# anything gets its code by what the encoder sees. Pictures without attributes get the plain VAE, $z = r$.
# 
# The number of *active* latents, those whose mean varies from picture to picture, is
# logged in training: too few, and codes say too little. KL is summed over latents and
# errors over pixels; both are averaged over the batch.

show_source(
    vae.kl_divergence, likelihoods.PaletteLikelihood, likelihoods.nats_of_choices, vae.VAE
)


vae_model = train("vae")
measure(vae_model, evaluation.measure_reconstruction(vae_model, pictures))
show_reconstructions(vae_model, "vae-reconstructions")


# Novel pictures: take the attributes of a random training punk, draw $r \sim
# \mathcal{N}(0, I)$, and decode their code. That is what the prior says; but what real
# pictures leave as the rest fills the cloud unevenly. After training we fit a mixture of ten
# Gaussians to it and draw from that instead ([Ghosh et al.
# 2020](https://arxiv.org/abs/1903.12436)). A punk is nearly settled by its attributes, so
# a first draw may well equal a training punk, the more often the longer the VAE has learned
# (section 8 counts it); that is no novel picture, and is drawn again.
# Below: both priors, then the first with every value further than 2 standard deviations from 0 drawn again
# (*truncation*), and with a sixth of the noise.

def show_samples(trained, name, seed=3):
    """Samples as they come, of the mixture, truncated, and with a sixth of the noise."""
    rows, labels = [trained.generate(20, seed)], ["sampled", ""]
    if trained.task != "gan":
        rows.append(trained.generate(20, seed, prior="mixture"))
        labels += ["of the mixture", ""]
    rows.append(trained.generate(10, seed, truncation=2.0))
    rows.append(trained.generate(10, seed, scale=1 / 6))
    labels += ["at most 2 SD", "noise / 6"]
    figure = picture_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, name, workspace)


show_source(prior.fit_mixture)
show_samples(vae_model, "vae-samples")


# **What to notice.** Every pixel has a colour of the palette, so nothing is blurred; what
# goes wrong goes wrong in whole pixels: a pair of glasses that loses a corner, an accessory
# of another colour, stray dots. Points of the mixture show less of that, since they lie
# where real punks do. Which parts go together is taken from real punks; with a sixth of the
# noise these still vary.
# 
# The mixture even lets the CAE invent, which never heard of a prior:

figure = picture_grid(cae_model.generate(20, seed=1, prior="mixture"), 10)
show_figure(figure, "cae-mixture-samples", workspace)


# ## 5. The generative adversarial network
# 
# Two players. The **generator** $G$ turns noise $z$ into a picture; the **discriminator**
# $D$ gives a picture a number, high for real. The course's form of the game ([Goodfellow
# et al. 2014](https://arxiv.org/abs/1406.2661)) is binary cross-entropy,
# 
# $$ \mathcal{L}_D = \mathbb{E}\left[ f(-D(x)) + f(D(G(z))) \right], \qquad
# \mathcal{L}_G = \mathbb{E}\left[ f(-D(G(z))) \right], \qquad f(t) = \log(1 + e^t). $$
# 
# It asks of every picture alone whether it is real. Left to itself $D$ gets steeper and
# steeper, and a generator that has found one convincing picture is content: *mode collapse*.
# Two penalties (R1 and R2) keep the slope of $D$ small where pictures are, real ones and
# generated ones, which is to keep the game stable. Ours adds them to $\mathcal{L}_D$ with
# $\gamma = 0.1$:
# 
# $$ \tfrac{\gamma}{2} \, \mathbb{E} \left[ \lVert \nabla D(x) \rVert^2 +
# \lVert \nabla D(G(z)) \rVert^2 \right]. $$
# 
# They need a gradient inside a loss; we estimate it with a finite difference along a random
# direction $e$: $\mathbb{E} \left( D(x + s e) - D(x) \right)^2 / s^2 = \lVert \nabla D
# \rVert^2$ for small $s$.
# 
# The penalties are half of [R3GAN (Huang et al. 2024)](https://arxiv.org/abs/2501.05441). Its
# other half, the relativistic form, compares pairs,
# 
# $$ \mathcal{L}_D = \mathbb{E}\left[ f(D(G(z)) - D(x)) \right], \qquad
# \mathcal{L}_G = \mathbb{E}\left[ f(D(x) - D(G(z))) \right], $$
# 
# so a generated picture has to look real beside *every* real one. It is one argument away,
# `loss="relativistic"`; section 9 tells why ours is the classical one.
# 
# **Being told.** Noise alone leaves it to $G$ to find out that there are hats. Where the
# pictures have attributes $a$ (an 87-part wardrobe here, age and so on with faces), both
# players are told them ([Miyato and Koyama 2018](https://arxiv.org/abs/1802.05637)): $G$
# gets $a$ beside its noise, and $D(x, a) = d(x) + a \cdot v(x)$ asks, besides whether a
# picture is real, whether it is one of *these*. A kind of punk can then no longer be left
# out: every one is asked for as often as it occurs. To invent a punk we draw new noise,
# and the attributes of a random training punk; or we choose them. Pictures without
# attributes get a GAN that is told nothing.
# 
# In code both players share one loss. `stop_gradient` makes the pictures constants in
# $D$'s part and $D$'s weights constants in $G$'s part, so plain `fit()` trains both. An
# exponential moving average of $G$'s weights draws the samples: a single step of the game
# is a gamble, their average is not.
# 
# **Seeing enough.** $G$ learns through the eyes of $D$. With a kernel of 3 and a stride of 2,
# a layer of $D$ reads every other row and every other column twice, so some pixels count
# four times as often as others: the checkerboard of section 1 the other way round. Does it
# harm? On photographs the $D$ of our GAN has kernels of 4, which read all pixels equally
# often, and samples are nearer to real pictures, those of anime faces far nearer. But kernels
# of 4 also read more at once. Reading evenly is neither enough nor needed: kernels of 2 do,
# and are no better than those of 3; kernels of 5 do not, and are as good as those of 4
# (section 9, three runs of each). Whether it adds to size, these runs do not tell.
# Punks are drawn in blocks of 2 x 2 pixels, which the layer next to them reads one by one; its
# other layers have kernels of 3 there. Those of 4 brought little in one short run, measured
# on validation punks and not recorded.
# 
# **Both at once, for photographs.** Their colours are no palette, so a VAE is left with
# squared errors, and where its code leaves something open it draws the average of all
# that fits: a blur. A discriminator tells a blur from a picture at once. So on
# photographs our VAE plays the game, too ([Larsen et al.
# 2016](https://arxiv.org/abs/1512.09300)): its decoder is the generator, its
# reconstructions $\hat{x}$ are the generated pictures, and
# 
# $$ \mathcal{L} = \mathcal{L}_{\mathrm{VAE}} + \beta \, \mathbb{E}\left[ f(-D(\hat{x}))
# \right] + \mathcal{L}_D $$
# 
# with a price $\beta$ of 600 nats (`sharpness`) and the KL at its full price. The bound says what is in a picture, the discriminator
# that it should look like one. Punks have a palette and get the plain VAE.

show_source(contest.Contest, gan.GAN, vae_gan.VAEGAN)


gan_model = train("gan")
measure(gan_model, {"latent_dim": gan_model.model.latent_dim})


# ### From first to last epoch
# 
# The same latent points, decoded again and again while the model was in training: first
# the VAE's, then the GAN's.

def show_progress(trained, name, shown=6):
    """A strip with some epochs of ten points, and an animation with all of them."""
    snapshots = list(trained.snapshots().items())
    places = np.unique(np.linspace(0, len(snapshots) - 1, shown).round().astype(int))
    rows = np.concatenate([snapshots[place][1][:10] for place in places])
    labels = [f"step {snapshots[place][0]:,}" for place in places]
    show_figure(picture_grid(rows, 10, row_labels=labels), name, workspace)
    frames = [files.contact_sheet(images[:10], columns=10) for _, images in snapshots]
    show_animation(frames, name, workspace)


show_progress(vae_model, "vae-progress")
show_progress(gan_model, "gan-progress")


# **What to notice.** First comes the background, then the place of the head, then light
# and dark, at last single pixels. A point keeps its character once it has found one. The
# VAE gets there in a fraction of the steps: it is told the right answer for every pixel,
# the GAN only that something is wrong.

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
for coins in (1, 2):
    axes[3].axhline(coins * np.log(2), color="grey", linestyle=":", linewidth=1)
axes[3].set_ylim(bottom=0)
axes[3].legend(loc="lower right")
show_figure(figure, "loss-curves", workspace)


# **What to notice.** The autoencoder's error falls, fast and then slowly. The VAE's
# reconstruction term falls too, towards 0, where every pixel's colour would be certain.
# (A Gaussian's falls below 0: it is a *density*, and densities may exceed 1.) Its KL
# settles at the price, in nats, of describing a picture; a KL near 0 would mean codes
# that say nothing (*posterior collapse*). A GAN's losses do **not** fall: each player's
# success is the other's failure. Healthy is a standoff. The dotted lines are coin tosses:
# $\log 2$ for the generator, and two of them for the discriminator, which judges real
# pictures and generated ones; it is to stay a little ahead. A discriminator's loss that
# runs to 0 while the generator's grows means that one player has won, and nobody learns
# any more. Whether a GAN is good its losses cannot tell; section 8 measures it.

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


# **What to notice.** The VAE's steps are no cross-fade of two pictures: hair becomes other
# hair, and skin changes its tone on the way; what is half there, such as a hood, comes as
# scattered pixels. Line and arc hardly differ: what tells two punks apart are first of all
# their attributes. With the GAN, attributes change evenly
# from one punk's to the other's: in the middle it is asked for half a hood and half of
# another hair, which no training picture had, and there it blends. Line and arc differ in
# its noise only.

# ### A hundred at once
# 
# One seed, a hundred points of the GAN; the numbers at the sides are for picking.

GRID_SEED = 7
grid_points = gan_model.points(100, GRID_SEED)
labels = [str(row) for row in range(10)]
figure = picture_grid(
    gan_model.decode(grid_points), 10, row_labels=labels, titles=labels
)
show_figure(figure, "gan-grid", workspace)


# ## 7. Arithmetic in the latent space
# 
# ### A map
# 
# Codes of test pictures, 64 numbers each, laid out on a plane so that neighbours stay
# neighbours (t-SNE), and coloured by what the pictures are. Of these pictures the encoder
# was told none of these words; it sees them as it learned to on the training pictures.

def most_frequent_attributes(count):
    """Columns of the attributes that most pictures have."""
    return np.argsort(-pictures.train_labels.sum(axis=0), kind="stable")[:count]


if len(pictures.label_names) and len(pictures.test) > 10:
    plane = latent.latent_map(vae_model.encode(pictures.test))
    figure, axes = plt.subplots(2, 4, figsize=(10, 5), layout="constrained")
    for axis, column in zip(axes.flat, most_frequent_attributes(8)):
        has_it = pictures.test_labels[:, column]
        axis.scatter(*plane[~has_it].T, s=3, color="#c8ccd2")
        axis.scatter(*plane[has_it].T, s=5)
        axis.set(title=pictures.label_names[column], xticks=[], yticks=[])
        axis.grid(False)
    show_figure(figure, "latent-map", workspace)


# ### Directions from attributes
# 
# If directions mean something, then *woman with earring − woman* should be the earring,
# and adding it to a man's code should put an earring on the man. Means alone do not say
# that: the mean of all punks with a beard minus that of all others is a beard **and** a
# man, since only men have beards. So we explain codes by all attributes at once, by least
# squares: each gets its own share only.
# 
# A VAE that was told attributes knows such directions already: their places. Both are
# counted below.
# 
# Such a VAE can also look at what it has drawn: its encoder sees the attributes of any
# picture, so of that one, too. What is missing is added once more, what is there too much is
# taken away, and that twice, by places. One thing is left alone: what the encoder mostly does
# not see beside something else in real punks that have both. An earring under long hair would
# be pushed until it shows *on* the hair.
# 
# And a hat takes the place of another. What never goes together in the training pictures,
# though it should by chance, excludes each other; adding the one then takes the other's
# direction away.

show_source(
    directions.attribute_directions,
    directions.possible_changes,
    corrections.CorrectedArithmetic,
    counterparts.find_counterparts,
)


if len(pictures.label_names):
    codes = vae_model.encode(pictures.train)
    added = directions.attribute_directions(codes, pictures.train_labels)
    direction = dict(zip(pictures.label_names, added))
    wanted = [(pictures.label_names[c],) for c in most_frequent_attributes(6)]
    if DATA == registry.PUNKS:
        wanted = [("earring",), ("bigShades",), ("hoodie",), ("luxuriousBeard",)]
        wanted += [("female", "male"), ("zombie", "male")]
    start = vae_model.encode(pictures.test[:10])
    rows, labels = [vae_model.decode(start)], ["restored"]
    for plus, *minus in wanted:
        move = direction[plus] - sum(direction[name] for name in minus)
        rows.append(vae_model.decode(start + move))
        labels.append(" − ".join((f"+ {plus}", *minus)))
    figure = picture_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, "latent-arithmetic", workspace)

if gan_model.model.told:
    base = gan_model.points(10, seed=8)
    place = {name: -len(added) + at for at, name in enumerate(pictures.label_names)}
    rows, labels = [gan_model.decode(base)], ["as drawn"]
    for plus, *minus in wanted:
        moved = base.copy()
        for name in minus:
            moved[:, place[name]] = 0
        moved[:, place[plus]] = 1
        rows.append(gan_model.decode(moved))
        labels.append(" − ".join((f"+ {plus}", *minus)))
    figure = picture_grid(np.concatenate(rows), 10, row_labels=labels)
    show_figure(figure, "told-arithmetic", workspace)


# **What to notice.** Above, the VAE's codes of real punks; below, punks of the GAN whose
# attributes were changed by hand. Shades, beards and hoods come, while hair, skin and
# everything else stay who they were; a hood over a hat comes out as half of each, which is
# why a hat has to be taken away first. To become female, a punk has to stop being male: only
# the difference of both is the way from one to the other. An earring is a pixel or two, and
# easily missed; zombies are so rare that the GAN knows little more of them than the green.
# 
# ### How often does it succeed?
# 
# Pictures can be chosen; counts cannot. A *judge*, a small network that was taught to see
# the attributes of training pictures, looks at a thousand test pictures before and after
# one attribute was added. Success: the wanted attribute is there, and every other is as
# before. The ceiling is how often a picture is unchanged when it is merely restored. A
# change has to make sense: nothing is added that would take the type away and leave none,
# such as a beard that only men have to a woman. Some the judge does not see in real punks
# either: under a hood there is no earring, whatever the list of parts says, and to red cheeks
# of women it is blind. `visible` leaves out changes with a pair of parts of which the judge
# sees one in fewer than half of the training punks that have both.
# 
# `exact` needs no judge. Attributes and skin settle a punk: no two of the ten thousand share
# both. Where the collection holds a punk with all the attributes of a test punk and one more,
# and the same skin (the same pixels at the neck), that very punk is what the change has to
# give, in every single pixel. `exact-unseen` counts those that were not trained on, either.
# These are changes as they occur; the judge's thousand are drawn evenly over all attributes,
# down to rare ones.
# 
# For the VAE there are five ways: directions by least squares (`regression`) and by
# `means`, the places of what it was `told`, these `corrected` by what the encoder sees in
# the result, and the places once more with the codes `described`: with the attributes that
# the test punks have, in place of those that the encoder sees. The GAN has no codes of given
# pictures, but attributes are a part of its points: one number each, and adding 1 to it is a direction, too. Asked for as many punks,
# with the attributes of the same test pictures, it is counted in the same way; its ceiling
# is how often the judge sees exactly what was asked for.

judge = features.feature_map(pictures, workspace.models / f"judge-{Path(DATA).stem}", profile)
print(f"feature map: {judge.name}, version {judge.version}")
if judge.label_names and len(pictures.test):
    for name, number in evaluation.measure_judge(judge, pictures).items():
        print(f"  {name:>10} {getattr(number, 'value', number):.3f}")
    for trained in (vae_model, gan_model):
        changes = study_runs.measure_changes(trained, pictures, judge)
        print(trained.task.upper() if changes else "too few pictures to ask for any change")
        for name, number in changes.items():
            print(f"{name:>38} {100 * number.value:5.1f}%  (n = {number.n:,})")
        if changes:
            settings = {**config, **trained.settings}
            record(workspace, f"{trained.task}-arithmetic", changes, config=settings)


# Some of those counterparts: unseen punks, what becomes of them when an attribute is added
# (by least squares), and the real punks that have all their attributes and that one.

known = counterparts.find_counterparts(pictures)
if known.changes:
    chosen = np.linspace(0, len(known.changes) - 1, 8).astype(int)
    changes = [known.changes[number] for number in chosen]
    before = pictures.test[[change.picture for change in changes]]
    plain = directions.Arithmetic(vae_model.encode(pictures.test), added)
    after = vae_model.decode(plain.apply(changes))
    figure = picture_grid(
        np.concatenate([before, after, known.real[chosen]]),
        8,
        titles=[f"+ {pictures.label_names[change.added]}" for change in changes],
        row_labels=["before", "after", "real"],
        cell=0.95,
    )
    show_figure(figure, "counterparts", workspace)


# And what corrections do, by places: the first changes that they make a difference to.
# After minutes of training much is missing at first, and comes by them (an eye patch, shades,
# green eyes), now and then with stray dots or at the cost of something else (the first).
# With the full training of section 9 there is less to correct.

def show_corrections(count=8):
    """The first changed pictures that corrections make a difference to."""
    labels = pictures.train_labels, pictures.test_labels
    changes = directions.possible_changes(*labels, 300)
    if not changes:
        return
    places = vae_model.told_directions()
    plain = directions.Arithmetic(vae_model.encode(pictures.test), places)
    looked_at = corrections.corrected(plain, vae_model, pictures)
    first, second = (vae_model.decode(way.apply(changes)) for way in (plain, looked_at))
    chosen = np.flatnonzero((first != second).any(axis=(1, 2, 3)))[:count]
    if len(chosen):
        before = pictures.test[[changes[number].picture for number in chosen]]
        figure = picture_grid(
            np.concatenate([before, first[chosen], second[chosen]]),
            len(chosen),
            titles=[f"+ {pictures.label_names[changes[number].added]}" for number in chosen],
            row_labels=["before", "after", "corrected"],
            cell=0.95,
        )
        show_figure(figure, "corrections", workspace)


if vae_model.told and len(pictures.test):
    show_corrections()


# ### Directions from hand-picked pictures
# 
# The GAN has no encoder, but its own pictures have points. Pick three cells (row, column)
# of the grid above: the first minus the second plus the third. After the quick training,
# these three are a man with spiky hair and a vape, such a man without, and a woman.

FIRST, SECOND, THIRD = (9, 2), (1, 2), (5, 1)

picked = [grid_points[10 * row + column] for row, column in (FIRST, SECOND, THIRD)]
result = picked[0] - picked[1] + picked[2]
shown = gan_model.decode(np.stack([*picked, result]))
figure = picture_grid(shown, 4, titles=["first", "− second", "+ third", "="], cell=1.0)
show_figure(figure, "picked-arithmetic", workspace)


# ## 8. How good are the pictures?
# 
# A number for "good" compares two *collections*, generated and real, not two pictures. It
# needs features in which similar pictures are close: here the last layer of the judge (for
# pictures without attributes, a network with fixed random weights). Then:
# 
# - **Fréchet distance**: how far apart are the two clouds' means and covariances ([Heusel
#   et al. 2017](https://arxiv.org/abs/1706.08500)); the **kernel distance** asks the same
#   without assuming Gaussians ([Binkowski et al. 2018](https://arxiv.org/abs/1801.01401)).
# - **precision and density**: do samples lie where real pictures do? **recall and
#   coverage**: is every real picture's neighbourhood met? ([Kynkäänniemi et al.
#   2019](https://arxiv.org/abs/1904.06991), [Naeem et al.
#   2020](https://arxiv.org/abs/2002.09797))
# - **copies**: samples equal, or suspiciously near, to a training picture.
# - **on the palette**, and the **attributes' shares**, one by one and in pairs.
# 
# None means anything alone: each stands beside its *floor*, what as many unseen real
# pictures score against the same training pictures. Distances from different features or
# of different numbers of pictures must never be compared.

def measure_samples(name, trained, prior):
    """Measure as many samples as there are test pictures, and record it."""
    numbers = study_runs.measure_samples(trained, pictures, judge, prior)
    record(workspace, f"quality-{name}", numbers, config={**config, "features": judge.version})
    return numbers


quality = {
    "GAN": measure_samples("gan", gan_model, "normal"),
    "VAE": measure_samples("vae", vae_model, "normal"),
    "VAE, mixture": measure_samples("vae-mixture", vae_model, "mixture"),
    "CAE, mixture": measure_samples("cae-mixture", cae_model, "mixture"),
}
shown = ("frechet", "precision", "recall", "density", "coverage", "near_copies")
shown += ("drawn_again", "on_palette", "marginals")
print(f"{'n = ' + str(len(pictures.test)):14s}" + "".join(f"{name:>13}" for name in shown))
for model, numbers in quality.items():
    values = [getattr(numbers.get(name), "value", numbers.get(name, np.nan)) for name in shown]
    print(f"{model:14s}" + "".join(f"{value:13.3f}" for value in values))
floors = [quality["GAN"].get(f"{name}_floor", np.nan) for name in shown]
floors = [getattr(floor, "value", floor) for floor in floors]
print(f"{'real pictures':14s}" + "".join(f"{floor:13.3f}" for floor in floors))


# **What to notice.** The last row is the floor: two samples of *real* pictures are not at
# distance 0 from each other either. Shares are between 0 and 1; `marginals` is the mean
# difference between how often real and generated pictures have an attribute.
# 
# `drawn_again` is the share of first draws that equal a training punk and are replaced.
# 
# VAE and GAN cover nearly every kind of punk, since the attributes of their samples are those
# of training punks; which parts go together they need not learn, only to draw them.
# What tells the VAE's samples from real ones are small marks it has not learned yet and
# stray dots, more of them with points of $\mathcal{N}(0, I)$ than of the mixture. With
# the GAN it is colours that are nearly those of the palette and seldom exactly, and a stray
# pixel here and there: a recall below the floor. The CAE's samples are soft; the judge
# forgives that more than we do, but its low recall tells that much of the variety is
# missing. All of them trained for minutes; section 9 shows what more epochs bring.

# ## 9. The study: choice by choice
# 
# The runs of this section were made beforehand, with the full budgets unless something
# else is said, and are recorded in `results/study/`; `latent-arithmetic study` repeats
# whatever is missing. Where there are several seeds, a line is their mean. *Ours* is the
# recipe used above, *ours-long* the same for twice as long. *course* is the assignment's
# own model: the same number of channels in every layer, squared error or binary
# cross-entropy, no penalty, told nothing, and its own batch sizes and rates.
# *relativistic* is our GAN with R3GAN's loss and its penalties at $\gamma = 1$,
# *kernel-of-2*, *-3* and *-5* ours on photographs with such kernels in the discriminator in
# place of 4,
# *gaussian* our VAE with neither palette nor discriminator. *copies* are nearly copies of
# training pictures. *changes* is the share of changes that succeed (the arithmetic of
# section 7), by what the model is told of attributes, else by least squares; *exact* the
# share of those with a counterpart that give it in every pixel, where it was measured;
# *corrected* and *exact, c.* the same with corrections.

study_folder, study_list = study.study_folder(), study_runs.all_runs()


def show_study(runs, columns):
    """A line a group of recorded runs. columns: heading -> names of numbers, of which
    the first that was measured is shown."""
    table = study.study_table(runs, study_folder)
    if not table:
        print(f"no recorded runs in {study_folder}; they come with the project")
        return
    width = max(map(len, table))
    rooms = [max(8, len(heading) + 1) for heading in columns]
    headings = map(str.rjust, columns, rooms)
    print("seeds".rjust(width + 6) + "".join(headings))
    for group, numbers in table.items():
        line = f"{group:{width}}{numbers['frechet'].seeds:>6}"
        for names, room in zip(columns.values(), rooms):
            found = [numbers[name].value for name in names if name in numbers][:1]
            line += f"{found[0]:{room}.3f}" if found else " " * room
        print(line)


columns = {
    "frechet": ["frechet"],
    "floor": ["frechet_floor"],
    "precision": ["precision"],
    "recall": ["recall"],
    "coverage": ["coverage"],
    "diversity": ["diversity"],
    "copies": ["near_copies"],
    "changes": ["arithmetic-told-success", "arithmetic-regression-success"],
    "exact": ["arithmetic-told-exact", "arithmetic-regression-exact"],
    "corrected": ["arithmetic-corrected-success"],
    "exact, c.": ["arithmetic-corrected-exact"],
    "PSNR, dB": ["test_psnr"],
}
choices = [run for run in study_list if isinstance(run, study_runs.ShortRun)]
show_study([run for run in study_list if run not in choices], columns)
if study.study_table(study_list, study_folder):
    summary = study.summary(study_list, study_folder, "picture-study")
    write_json(workspace.results / "picture-study.json", summary)
    print(summary["note"])


def show_side_by_side(data, count=10):
    """The course's models and ours, of the same seed; first, if they are the
    pictures of this notebook, real ones."""
    rows, labels = [], []
    if data == DATA:
        rows, labels = [pictures.test[:count]], ["real"]
    for task, recipes in study_runs.SIDE_BY_SIDE[data].items():
        for recipe in recipes:
            run = study_runs.ModelRun(task, recipe, data)
            planned = next((r for r in study_list if r.group == run.group), run)
            if study.recorded_run(planned, study_folder):
                rows.append(study.recorded_pictures(planned, study_folder)[:count])
                labels.append(f"{task.upper()}, {recipe}")
    if len(rows) > 1:
        figure = picture_grid(np.concatenate(rows), count, row_labels=labels)
        show_figure(figure, f"side-by-side-{data}", workspace)


for data in study_runs.SIDE_BY_SIDE:
    show_side_by_side(data)


# **What to notice.** The first draws of one seed, not selected. On punks, the course's
# VAE mixes colours and leaves grey dots; ours has single wrong marks. The course's GAN
# draws one and the same head with other shades: *mode dropping* at its plainest. That
# head lies among real ones, so its precision is above the floor; its recall is 0 and its
# coverage next to it. Precision alone proves nothing. Our GANs' backgrounds are faintly
# mottled, the relativistic one's more so. On faces a VAE with squared errors alone
# (*course*, *gaussian*) is soft: the average of all pictures that fit is the best answer.
# With the discriminator (*ours*) faces have pupils, teeth and strands of hair, under a
# fine grain, and some are smeared; what is restored is farther from the original, pixel
# by pixel (*PSNR*): a sharp guess that is wrong costs more than a blur. Of the GANs, the
# course's repeats one mottled pattern on UTKFace and hardly shows a face on anime. Ours
# shows clear faces on UTKFace, some of them torn, and on anime faces with hair, eyes and
# mouth, which vary less than real ones, all under dotted grain. The relativistic one
# leaves a grid of colour noise on both, and its anime faces vary more. *Kernels of 4*
# (section 5) make the difference on anime: with kernels of 3 in the discriminator faces
# are smeared and look much alike, and are about twice as far from real ones. On UTKFace
# they bring less. With kernels of 2 anime faces are as far as with 3, with 5 about as near as
# with 4, and more varied (*recall*, *coverage*). So reading
# all pixels equally often is neither enough (2) nor needed (5); what the nearer ones share is
# that a layer sees 4 or 5 pixels at once, with as many more weights. Whether evenness adds to
# that, these do not tell: from 2 to 3 and from 4 to 5 it is lost while size is gained. Three
# runs of each were needed: the first of kernels of 2 was nearer than any of those of 3, the
# other two were not. (Runs of one recipe differ a lot here. One of kernels of 6, even and
# larger, on validation pictures and not recorded, was farther than those of 4 and 5.)
# (Our GANs had 16 epochs of 8,000 faces, all others 8, which favours our GANs. All VAEs draw
# from the mixture. From $\mathcal{N}(0, I)$ ours are no nearer than the course's on UTKFace,
# and nearer on anime. Real faces are no part of this project and are not shown.)
# 
# *Would longer training help?* Twice the epochs bring the VAE next to nothing, neither a
# smaller distance nor better arithmetic. Of the 107 changes in 1,000 that then fail, 40 are
# such as the judge does not see in real punks either: an earring under a hood or long hair, a
# smile under a beard, or what it is blind to, the red cheeks of women.
# 
# *How much of that is the judge?* Where the very punk exists that a change asks for, none is
# needed (*exact*): our VAE then gives it in every pixel nearly always. Those are everyday
# changes; the judge's thousand ask for rare parts as often as for common ones.
# 
# *What do corrections bring?* On punks nearly two more of a hundred changes succeed, by the
# judge's count. Of the punks that exist a few less are met in every pixel: now and then the
# encoder misreads a punk that was right, and it is moved away from there. On anime faces,
# whose attributes are the years in which they were drawn, two in three changes succeed in
# place of two in five, and on UTKFace one in five in place of one in seven. There, more is
# mended than the change: what is merely restored has lost attributes, too. The encoder and the
# judge were taught by the same pictures, so what one takes for a sign of age the other
# may take for it as well. Looked at, a moustache comes and a grown-up gets a child's face,
# while much of who somebody was is lost in restoring already.

# ### What each choice brings
# 
# The same networks with a choice or two changed. These runs are as short as this
# notebook's own (4 epochs the VAE, 8 the GAN; one run each), so they compare with one
# another and not with the longer ones above. `N(0, I)` is the Fréchet distance without the
# mixture; `diversity` the mean distance of two samples (test punks: 0.194); `palette` the
# share of pixels that have exactly a colour of the palette; `repeats` the share of first
# draws that equal a training punk, and are drawn again; `changes` the share of changes that
# succeed, by least squares, with the GAN by what it is told.

def show_choices(count=8):
    """Samples of every short run that is recorded, a row each."""
    shown = [run for run in choices if study.recorded_run(run, study_folder)]
    if shown:
        rows = [study.recorded_pictures(run, study_folder)[:count] for run in shown]
        labels = [f"{run.task.upper()}, {run.recipe}" for run in shown]
        figure = picture_grid(np.concatenate(rows), count, row_labels=labels)
        show_figure(figure, "choices", workspace)


show_choices()
show_study(
    choices,
    {
        "frechet": ["frechet"],
        "N(0, I)": ["normal-frechet", "frechet"],
        "recall": ["recall"],
        "coverage": ["coverage"],
        "diversity": ["diversity"],
        "palette": ["on_palette"],
        "repeats": ["drawn_again"],
        "changes": ["arithmetic-regression-success", "arithmetic-told-success"],
        "PSNR, dB": ["test_psnr"],
    },
)


# **What to notice.** *Being told attributes* brings most. Without it the VAE's distance more
# than doubles and the GAN's grows nearly tenfold in as many steps, and both lose variety. It is
# also why such distances are to be read with care: a told model need not learn which punks
# there are. *The palette*: with a Gaussian, fewer than one pixel in ten has exactly a
# colour of it, and with its best spread samples of $\mathcal{N}(0, I)$ are far off,
# those of the mixture not. *The price of the KL*: at its full price, samples of
# $\mathcal{N}(0, I)$ are better than ours and restoring is 3 dB worse. *Warm-up* and the
# tenfold weight of attributes change little in four epochs, and *free bits* next to nothing:
# hardly any latent can have said less than 0.1 nats.
# 
# With the GAN, *the penalties* are a matter of measure: without them nearly half of the pixels
# have exactly a colour of the palette, while with them the background stays faintly mottled;
# tenfold they cost distance, variety and arithmetic. *The relativistic loss* is farther from
# real punks, with tenfold penalties and with none. *Shifted pictures* (DiffAugment) fall
# far behind in so few steps; why was not looked into (one suspect: punks stand all in the
# same place, and shifted ones do not). *Averaging the generator* changes little. One run each,
# so small differences mean nothing.
# 
# Does that hold for longer training? Two rows of the table above change the loss of a GAN that
# was trained as long as ours. *Without penalties* it is nearly as near, and its arithmetic
# succeeds more often. But all 20 of its samples that are kept have one and the same skin: what
# it is not told it does not vary. Skin is no attribute, so the judge was not taught to see it;
# the pictures' `diversity`, their mean distance from each other, does. *The relativistic loss*
# has three runs, as ours has: each of ours is nearer than each of these, with better
# arithmetic. (Its penalties are tenfold as well. At ours it was not tried, and in short runs
# with tenfold penalties the classical loss was nearer, too.) On faces (three runs
# each) ours is far nearer on UTKFace, and on anime about as near and less varied. With pictures
# of your own try both: `--recipe relativistic` is the other.

# ### How fast
# 
# `make bench` measures the course's models and ours in turns, in one run on an otherwise
# idle machine: pictures a second in a training step, and the time until our GAN is as near
# to real punks as the course's is at its end. The value is the median of the repeats, all
# of which lie between the two numbers in brackets. *Share of the peak* is the share of the
# operations a second that a large matrix product reaches on the same machine. Where
# TensorFlow leaves oneDNN's kernels off, the package switches them on, for both.

speed.print_speed(
    speed.recorded_speed(speed.benchmark_folder(), only=("picture-steps", "gan-race"))
)


# **What to notice.** In a second, ours learn from more pictures, but they use a smaller
# share of the machine. The course's layers have 128 channels everywhere, even where the
# picture is large: that is four to five times the work for a picture, in large products.
# Ours have few channels there, and normalising and comparing with every colour of the
# palette, which are no products, weigh more. Our GAN is nearer to real punks after its
# first epoch than the course's is at its end; but that one gets hardly nearer after its
# own first epoch, beside which ours is two to three times as fast, and ours alone is told
# attributes.
# 
# ## 10. VAE and GAN side by side

chosen = pictures.test[-10:]
invented = [
    vae_model.generate(len(chosen), seed=21, prior="mixture"),
    gan_model.generate(len(chosen), seed=21),
]
rows = np.concatenate([chosen, *invented])
figure = picture_grid(rows, len(chosen), row_labels=["real", "VAE", "GAN"])
show_figure(figure, "real-vae-gan", workspace)


# | | VAE | GAN |
# |---|---|---|
# | what is optimised | a bound on the likelihood of every training picture | a game; no picture's likelihood is ever computed |
# | training | one loss that falls; hardly any tuning | a standoff of two; sensitive to rates, penalties, batch |
# | from picture to code | yes, the encoder; so reconstruction, compression, editing of given pictures | no |
# | typical fault | mixtures: with squared errors a blur, with a palette stray dots and halves of accessories | things left out (mode dropping), stray pixels |
# | why | pixels are decided one by one, given the code; what the code leaves open is decided apart in every pixel | any picture the discriminator believes is good enough |
# | every kind of picture covered? | yes, a picture without probability costs a lot | not enforced, unless it is told what to draw |
# | latent space | shaped by the KL term to a Gaussian cloud | given as a Gaussian cloud; the generator arranges pictures in it |
# 
# Both decode Gaussian noise with the *same* kind of network. What the network is told
# about its pictures is all that differs. The VAE is told for every pixel of every picture
# what it should have been; the GAN is told only whether the whole could be real, by a
# judge that learns along.
