# Generated from notebooks/sequence_arithmetic.ipynb by nbconvert; edit the notebook.

# # Arithmetic through a sequence model
# 
# A network reads a question such as `81+24` and writes the answer, `105`. It is never
# told what a number is: it sees characters, one after another, and examples. We build
# three such networks, which differ in what goes in and what comes out:
# 
# | task | in | out |
# |---|---|---|
# | text-to-text | characters | characters |
# | image-to-text | pictures of handwriting | characters |
# | text-to-image | characters | pictures of handwriting |
# 
# The notebook follows the assignment: how questions are made (1 to 3), text-to-text and
# what it gets wrong with less and less to learn from (4 and 5), image-to-text compared
# with it (6), text-to-image with a separate reader that scores it (7 and 8), what
# extra LSTM layers do (9), and what the recorded study of many longer runs adds (10).
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
from latent_arithmetic.arithmetic import (
    columns,
    evaluation,
    glyphs,
    handwriting,
    image_to_text,
    lessons,
    long_calculator,
    long_numbers,
    models,
    networks,
    pictures,
    questions,
    reader,
    study_plan,
    tasks,
    text_to_image,
)
from latent_arithmetic.figures import show_figure, use_style
from latent_arithmetic.notebook import show_source
from latent_arithmetic.results import (
    Number,
    over_seeds,
    record,
    share_of,
    write_json,
)
from latent_arithmetic.workspace import open_workspace

workspace = open_workspace()
profile = workspace.profile
use_style()
print(f"profile {profile.name}; everything is written to {workspace.root.name}/")


# ## 1. The questions
# 
# A question is two whole numbers from 0 to 99 with a plus or a minus between them. There
# are $100 \cdot 100 \cdot 2 = 20\,000$ of them, few enough to list them all. The table
# holds integers only (left number, sign, right number); text and pictures are made from
# it at the last moment.

table = questions.all_questions()
answers = questions.true_answers(table)
print("table:", table.shape, table.dtype)

rows = np.random.default_rng(1).choice(len(table), 8, replace=False)
asked = questions.format_questions(table[rows])
expected = questions.format_answers(answers[rows])
for question, answer in zip(asked, expected):
    print(f"{question!r} -> {answer!r}")


# Questions stand at the right edge of five places, answers at the right edge of three.
# So the units are always in the last place, wherever the number begins: this is how we
# write numbers under one another on paper, and it spares the network to find the units
# first.

plus = table[:, 1] > 0
lengths = {
    "question": [len(text.strip()) for text in questions.format_questions(table)],
    "answer": [len(text.strip()) for text in questions.format_answers(answers)],
}
groups = evaluation.question_groups(table)

figure, axes = plt.subplots(1, 3, figsize=(7, 2.2))
for name, chosen in (("a + b", plus), ("a - b", ~plus)):
    values, counts = np.unique(answers[chosen], return_counts=True)
    axes[0].plot(values, counts, label=name)
axes[0].set(title="questions with this answer", xlabel="answer", ylim=(0, 130))
axes[0].legend(ncols=2, loc="upper center")
for shift, (name, values) in zip((-0.2, 0.2), lengths.items()):
    axes[1].bar(
        np.arange(6) + shift, np.bincount(values, minlength=6), 0.4, label=name
    )
axes[1].set(title="length", xlabel="characters", xticks=range(1, 6), xlim=(0.5, 5.5))
axes[1].legend()
axes[2].barh(list(groups), [chosen.sum() for chosen in groups.values()])
axes[2].invert_yaxis()
axes[2].set(title="what has to be done", xlabel="questions")
show_figure(figure, "questions-overview", workspace)


values, counts = np.unique(answers, return_counts=True)
once = (counts == 1).sum()
short = np.mean(np.array(lengths["question"]) < 5)
carries = evaluation.needs_carry(table).mean()
print(f"different answers: {len(values)}, from {values.min()} to {values.max()}")
print(f"answers that only one question has: {once} {values[counts == 1].tolist()}")
print(f"most frequent answer: {values[counts.argmax()]}, of {counts.max()} questions")
print(f"questions shorter than 5 characters: {short:.1%}")
print(f"questions that need a carry or a borrow: {carries:.1%}")


# **What to notice.** The answers are far from evenly spread. Sums form one triangle
# around 99 and differences another around 0, so numbers near these two are answers of
# many questions, and the largest and smallest of a single one. Almost every question has
# two numbers of two digits; short ones such as `3+4`, easy for us, are *rare* and
# therefore hard for a network. Nearly half of all questions need a carry or a borrow:
# then a digit of the answer depends on digits at other places. And a quarter lead below
# zero: there the network has to see which number is larger before it can write the first
# character.

# ## 2. One-hot encoding
# 
# The alphabet has 13 characters: ten digits, plus, minus and the blank. A character with
# place $k$ in it becomes a vector $e_k \in \mathbb{R}^{13}$ with a single one, so that no
# two characters are closer than any other two. A question is a matrix of five such rows,
# an answer one of three.

codes = questions.encode_questions(table)
one_hot = questions.one_hot(codes)
assert questions.decode(one_hot.argmax(axis=-1)) == questions.format_questions(table)
print("codes:", codes.shape, codes.dtype, " one-hot:", one_hot.shape, one_hot.dtype)

shown = questions.parse_questions(["81+24", "7-30"])
figure, axes = plt.subplots(1, 2, figsize=(5.2, 1.7))
for axis, text, matrix in zip(
    axes,
    questions.format_questions(shown),
    questions.one_hot(questions.encode_questions(shown)),
):
    axis.imshow(matrix, cmap="Blues")
    axis.set_xticks(range(13), questions.ALPHABET.replace(" ", "␣"))
    axis.set_yticks(range(5), text.replace(" ", "␣"))
    axis.grid(False)
show_figure(figure, "one-hot", workspace)


# The blank is shown as ␣. Encoding loses nothing: the assertion decoded all 20 000 questions back. The codes are
# small integers; the ones and zeros are made inside the model, where they cost no memory.

# ## 3. Handwriting
# 
# Digits come from MNIST. Plus and minus are not in it, so they are drawn with OpenCV as
# slightly crooked strokes; the blank is an empty picture. There are separate *worlds*:
# models train with pictures of the train world, choices are made in the validation world,
# and every number below is measured in the test world, with MNIST's test digits. No
# picture is in two worlds.
# 
# A question is not drawn once and kept. Each time a batch needs handwriting, fresh
# pictures are drawn, and each is moved, turned, stretched and sheared a little, inside
# the graph. A network that
# never sees the same drawing of a question twice cannot learn drawings by heart.

banks = {world: glyphs.glyph_bank(world) for world in glyphs.WORLDS}
for world, bank in banks.items():
    print(f"{world:10s} {len(bank.images):6,} pictures, {len(bank.counts)} characters")
show_source(glyphs.FreshGlyphs.call)


shown = questions.parse_questions(["81+24", "7-30", "56-8"])
shown_codes = questions.encode_questions(shown)
layer = glyphs.FreshGlyphs(banks["train"])
drawn = np.concatenate([np.array(layer(shown_codes))[..., 0] for _ in range(4)])
print("three questions, four times:", drawn.shape)
drawn = np.round(drawn * 255).astype("uint8")
show_figure(pictures.strip_grid(drawn, columns=3), "glyph-examples", workspace)


# **What to notice.** Four rows, four draws of the same three questions: the hand changes
# from character to character, as the digits are from different people. This is harder
# than one person's writing.

# ## 4. Text-to-text
# 
# The model is an encoder-decoder. An **LSTM** reads one character $x_t$ after the other
# and keeps a memory $c_t$, of which gates decide what is forgotten, written and shown:
# 
# $$
# \begin{aligned}
# f_t, i_t, o_t &= \sigma(W_{f,i,o}\,[x_t, h_{t-1}] + b_{f,i,o}) \\
# c_t &= f_t \odot c_{t-1} + i_t \odot \tanh(W_c\,[x_t, h_{t-1}] + b_c) \\
# h_t &= o_t \odot \tanh(c_t)
# \end{aligned}
# $$
# 
# The encoder does this in both directions and joins the two last $h$ to one vector: all
# the decoder gets to know of the question. `RepeatVector` shows it this vector at each of
# the three places of the answer, the decoder's LSTM turns it into one $h_t$ a place, and
# a dense layer into probabilities of the 13 characters. The loss is their cross-entropy.
# 
# One detail matters. The decoder writes the **units first**, because a carry is known
# only when the units are. `flip` then turns the answer around.

show_source(networks.build_encoder_decoder)
networks.build_encoder_decoder(questions.TWO_DIGITS).summary()


# It is trained with AdamW, a learning rate that rises and then falls along a cosine, and
# clipped gradients. 90% of the questions are trained on. Of the others, 500 tell how
# training goes (*validation*), and the rest, the *test* questions, are asked once, at the
# end. What counts is the share of **exact** answers, all three characters right: 95% of
# characters can be 85% of answers.
# 
# Seeds decide the split and the first weights. Seed 0 was used while these models were
# designed; everything below starts with seed 1, whose test questions chose nothing.

def train(task, name, seed, **options):
    folder = workspace.models / (f"{name}-seed-{seed}")
    return tasks.train_task(task, folder, profile=profile, seed=seed, **options)


def test_part(trained):
    settings = trained.settings
    asked = {key: settings[key] for key in ("seed", "train_fraction", "split")}
    return lessons.make_split(**asked)


def ask(trained):
    # The test questions of the model's own split, answered by the model.
    test = test_part(trained).test[: profile.test_questions]
    return evaluation.Evaluation(test, trained.answer(questions.format_questions(test)))


def keep(name, runs, evaluations, note, **more):
    # Record the numbers of one or several runs (one a seed) as one result.
    numbers = over_seeds([each.numbers() for each in evaluations])
    record(
        workspace,
        name,
        numbers | more,
        config=runs[0].settings | {"test": len(evaluations[0].questions)},
        seeds=[run.settings["seed"] for run in runs],
        seconds=sum(run.run.history.seconds for run in runs),
        note=note,
    )
    return numbers


def show_number(number, scale=100, unit="%"):
    low, high = number.low * scale, number.high * scale
    return f"{number.value * scale:.2f}{unit} [{low:.2f}, {high:.2f}]"


seeds = range(1, 1 + profile.seeds)
percents = [round(100 * fraction) for fraction in profile.train_fractions]
text_runs, text_scores = {}, {}
text_runs[90] = [train("text-to-text", "text-to-text-90", seed) for seed in seeds]
text_scores[90] = [ask(run) for run in text_runs[90]]


def show_curves(trained, name, loss="cross-entropy a character (train)"):
    history = trained.run.history
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.1))
    epochs = np.arange(1, history.epochs + 1)
    left.semilogy(epochs, history.losses["loss"])
    left.set(title=loss, xlabel="epoch")
    if "exact" in history.losses:
        right.plot(epochs, history.losses["exact"], label="train, during the epoch")
    seen = history.validation
    right.plot(seen["epoch"], seen["exact"], "o-", label="validation, after it")
    right.set(title="exact answers", xlabel="epoch", ylim=(-0.02, 1.05))
    right.legend()
    show_figure(figure, name, workspace)


show_curves(text_runs[90][0], "text-to-text-curves")


# Is that good? Two **null models** that know no arithmetic say what is nothing special.
# One always gives the most frequent answer. The other lets the *neighbours* vote: the
# trained questions that differ from the one asked in a single digit, character by
# character. It is surprisingly strong, since `81+23` and `81+25` say a lot about `81+24`.

def null_scores(trained):
    parts = test_part(trained)
    test = parts.test[: profile.test_questions]
    voted = evaluation.neighbour_vote(parts.train, test)
    frequent = evaluation.most_frequent_answer(parts.train, test)
    return {
        "neighbour-vote": evaluation.Evaluation(test, voted).numbers()["exact"],
        "most-frequent": evaluation.Evaluation(test, frequent).numbers()["exact"],
    }


NOTE = "plain strings, unseen questions; null models on the same questions"
text_numbers, text_nulls = {}, {}


def keep_text(percent):
    runs, scores = text_runs[percent], text_scores[percent]
    text_nulls[percent] = null_scores(runs[0])
    more = text_nulls[percent] | {"parameters": runs[0].model.count_params()}
    name = f"text-to-text-{percent}"
    text_numbers[percent] = keep(name, runs, scores, NOTE, **more)


keep_text(90)
for name, number in text_numbers[90].items():
    scale, unit = (1, "") if "error" in name else (100, "%")
    print(f"{name:22s}{show_number(number, scale, unit)}  n = {number.n}")
for name, number in text_nulls[90].items():
    print(f"{name:22s}{show_number(number)}")


# **What to notice.** For some epochs little seems to happen; then, within two or three,
# the share of exact answers rises steeply: what is learnt is a rule, not a list. Train
# and validation rise together, so the questions are not learnt by heart. The brackets are
# 95% intervals.

# ## 5. Less to learn from
# 
# How many questions does it take? We train on smaller parts of the table. Every run makes
# the **same number of steps**: fewer questions are shown more often. What differs is
# only how much there is to learn from.

for fraction, percent in zip(profile.train_fractions, percents):
    if percent not in text_runs:
        name = f"text-to-text-{percent}"
        text_runs[percent] = [
            train("text-to-text", name, seed, train_fraction=fraction) for seed in seeds
        ]
        text_scores[percent] = [ask(run) for run in text_runs[percent]]
        keep_text(percent)

line = "{:>9} {:>8} {:>24} {:>15} {:>10} {:>10}"
print(line.format("trained", "tested", "exact", "per character", "neighbours", "error"))
for percent in percents:
    numbers = text_numbers[percent]
    error = numbers.get("mean-absolute-error")
    print(
        line.format(
            f"{percent}%",
            numbers["exact"].n,
            show_number(numbers["exact"]),
            f"{numbers['per-character'].value:.2%}",
            f"{text_nulls[percent]['neighbour-vote'].value:.1%}",
            f"{error.value:.2f}" if error else "-",
        )
    )


def with_interval(axis, x, numbers, **style):
    values = np.array([number.value for number in numbers])
    low = values - [number.low for number in numbers]
    high = np.array([number.high for number in numbers]) - values
    axis.errorbar(x, 100 * values, 100 * np.array([low, high]), capsize=2, **style)


ordered = sorted(percents)
figure, axis = plt.subplots(figsize=(4.6, 2.6))
for key, label in (("exact", "exact"), ("per-character", "per character")):
    numbers = [text_numbers[percent][key] for percent in ordered]
    with_interval(axis, ordered, numbers, marker="o", ms=4, label=label)
numbers = [text_nulls[percent]["neighbour-vote"] for percent in ordered]
shares = [100 * number.value for number in numbers]
axis.plot(ordered, shares, "s--", ms=4, label="neighbour vote")
axis.set(xlabel="questions trained on (%)", ylabel="right (%)", ylim=(0, 102))
axis.set_xticks(ordered)
axis.legend(loc="lower right")
show_figure(figure, "train-fractions", workspace)


kinds = [kind for kind in evaluation.KINDS]
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.5), width_ratios=(1, 1.25))
bottom = np.zeros(len(percents))
colours = plt.get_cmap("tab10").colors
for kind, colour in zip(kinds, colours):
    shares = []
    for percent in percents:
        wrong = [score.count_kinds()[kind] for score in text_scores[percent]]
        asked = [len(score.questions) for score in text_scores[percent]]
        shares.append(100 * sum(wrong) / sum(asked))
    names = [f"{percent}%" for percent in percents]
    left.bar(names, shares, bottom=bottom, label=kind, color=colour)
    bottom += shares
left.set(xlabel="questions trained on", ylabel="wrong answers (%)")
left.legend(fontsize=6.5)
width = 0.8 / len(percents)
for position, percent in enumerate(percents):
    score = text_scores[percent][0]
    groups = evaluation.question_groups(score.questions)
    shares = [100 * (1 - score.exact[chosen].mean()) for chosen in groups.values()]
    places = np.arange(len(groups)) + position * width
    right.barh(places, shares, width, label=f"trained on {percent}%")
right.set_yticks(np.arange(len(groups)) + 0.3, list(groups))
right.invert_yaxis()
right.set(xlabel="wrong answers (%)", xlim=(0, 100))
handles, labels = right.get_legend_handles_labels()
figure.legend(handles, labels, loc="outside upper right", ncols=len(percents),
              fontsize=6.5)
show_figure(figure, "mistakes-kinds", workspace)


looked_at = 10 if 10 in percents else min(percents)
score = text_scores[looked_at][0]
figure, axes = plt.subplots(1, 3, figsize=(7, 2.4), width_ratios=(1, 1, 1.1))
for axis, (sign, shares) in zip(axes, score.plane().items()):
    image = axis.imshow(
        100 * shares, origin="lower", vmin=0, vmax=100, cmap="viridis",
        extent=(0, 100, 0, 100),
    )
    axis.set(title=f"exact answers to a {sign} b (%)", xlabel="b", ylabel="a")
    axis.grid(False)
figure.colorbar(image, ax=axes[1], shrink=0.8)
wrong = ~score.exact & ~np.isnan(score.values)
axes[2].plot(score.true[wrong], score.values[wrong], ".", ms=2.5)
axes[2].plot([-99, 198], [-99, 198], lw=0.6, color="grey")
axes[2].set(title="wrong answers", xlabel="true", ylabel="written")
axes[2].set_box_aspect(1)
show_figure(figure, "mistakes-plane", workspace)
print(f"trained on {looked_at}% of the questions; some of what it gets wrong:")
for kind in kinds:
    places = np.flatnonzero(score.kinds() == kind)[:4]
    texts = [
        f"{questions.format_questions(score.questions[[place]])[0].strip()}"
        f"={score.written[place].strip()} (not {score.true[place]})"
        for place in places
    ]
    if texts:
        print(f"  {kind:16s}", ",  ".join(texts))


# **What to notice.** Half of the questions are as good as nine tenths of them: more
# examples of a rule that is understood add nothing. Somewhere below a tenth the rule is no
# longer found, and the network guesses numbers of about the right size.
# 
# Where it still works, mistakes are not random. Many wrong answers are wrong in *one*
# digit: off by exactly 1 or 10. Off by 10, and the forgotten carry or borrow, which is a
# special case of it, is what is left of a rule that is not learnt well enough: the tens
# depend on four digits and a carry, the units on two. The planes show where it fails: at
# the edges, and most of all where $b$ has a single digit. Numbers of one digit are rare in
# the table, so hardly any of them are trained on, and a question that begins with blanks
# looks different from all others. The points of the right panel keep close to the grey
# line: even a wrong answer is usually a number of the right size.
# 
# A random split has a loophole: `81+24` may be trained and `24+81` tested. The
# *mirror-clean* split keeps both on the same side.

half = 0.5
mirror = {
    split: [
        train(
            "text-to-text",
            "text-to-text-50" if split == "random" else "text-to-text-mirror-clean",
            seed,
            train_fraction=half,
            split=split,
        )
        for seed in seeds
    ]
    for split in lessons.SPLITS
}
mirror_scores = {split: [ask(run) for run in runs] for split, runs in mirror.items()}
for split, scores in mirror_scores.items():
    numbers = over_seeds([score.numbers() for score in scores])
    print(f"{split:14s} exact {show_number(numbers['exact'])}")
runs, scores = mirror["mirror-clean"], mirror_scores["mirror-clean"]
note = "50% trained; a+b, b+a, a-b, b-a on the same side"
kept = keep("text-to-text-mirror-clean", runs, scores, note)


# If the two numbers are close, the network has not just learnt to swap the operands of
# questions it knows.

# ### Columns
# 
# Below a tenth of the questions the rule is lost. What is in the way? One vector has to
# hold the whole question, and the decoder has to take it apart again. On paper we do
# something else: for each place of the answer we *look* at two digits, and carry. The
# second design does so. For each place, **attention** (Bahdanau et al.,
# arXiv:1409.0473) chooses characters of the question as left digit, right digit and sign;
# recurrent layers then go through these columns in both directions. The digits of a
# column are embedded alike and joined through a matrix that belongs to the sign, so that
# what was learnt of one pair of digits serves for others.
# 
# Input and output are still plain strings. But the design knows something the first one
# does not: that answers are made column by column, and, as a first guess to start from,
# that digits are counted from the right edge and from the sign. It knows neither what a
# digit is worth, nor what `+` and `-` do, nor what is carried.

show_source(columns.build_calculator, columns.AttendColumns.call)
fewest = min(profile.train_fractions)
column_runs = [
    train(
        "text-to-text", "columns", seed, train_fraction=fewest, design="attention"
    )
    for seed in seeds
]
column_numbers = keep(
    "text-to-text-columns",
    column_runs,
    [ask(run) for run in column_runs],
    "plain strings, columns found by attention, unseen questions",
)
summary_exact = text_numbers[min(percents)]["exact"]
print(f"trained on {fewest:.0%}: summary  {show_number(summary_exact)}")
print(f"              columns  {show_number(column_numbers['exact'])}")


# ## 6. Image-to-text
# 
# Now the five characters are pictures. A small conv net, the **eye**, looks at each of
# them and gives probabilities of the 13 characters; the encoder-decoder of section 4 then
# reads the most probable question (no number begins with a needless 0) as it reads text.
# 
# **What is it taught with?** The arithmetic comes from the text-to-text model, which knows
# the same training questions and no others; it is not changed. The only target is the
# answer: nobody tells the eye which digit a picture shows. How can it learn to read then?
# Five pictures $x_1 \dots x_5$ may show any of the 20 000 questions $q$, each with the
# product of the probabilities that the eye gives its characters. The text model says
# which of them have the answer that is wanted. So
# 
# $$
# p(\text{answer} \mid x) = \frac{1}{Z} \sum_{q\,:\,\text{text}(q) = \text{answer}}
# \; \prod_{k=1}^{5} p_{\text{eye}}(q_k \mid x_k),
# \qquad Z = \sum_{q} \prod_{k=1}^{5} p_{\text{eye}}(q_k \mid x_k)
# $$
# 
# and minus its logarithm is the loss. All 20 000 products are one matrix product of log
# probabilities, so the sum is exact and costs little. A hundred questions share the
# answer 105; but a digit that is read wrong would make other answers come out wrong, and
# only one way of reading fits them all. (DeepProbLog, arXiv:1805.10872, sums in the same
# way over what is not known; but there the rules of addition are given, here they were
# learnt.)
# 
# One other way fits many of them: when every digit is taken for a neighbour, what one loses
# another may gain. 45+23 and 54+14 have the same answer, and before this study, 2 of 30
# eyes came to read so. In 45+3 nothing makes up for a 4 that is taken for a 5, so questions
# of a long and a short number are asked four times as often.

show_source(
    image_to_text.ImageToText.compute_loss, image_to_text.ImageToText.log_likelihood
)
networks.build_eye(len(questions.ALPHABET)).summary()


def with_text(task, name, seed):
    return train(task, name, seed, text_folder=text_runs[90][seeds.index(seed)].run.folder)


image_runs = [with_text("image-to-text", "image-to-text", seed) for seed in seeds]
image_scores = [ask(run) for run in image_runs]
show_curves(
    image_runs[0], "image-to-text-curves", "minus log likelihood of the answer (train)"
)


def eye_reads(trained, bank, count=5_000, seed=0):
    # What the eye takes single pictures for: true and seen characters.
    codes = np.random.default_rng(seed).integers(len(questions.ALPHABET), size=count)
    shown = bank.draw(codes, seed)[..., None].astype("float32") / 255
    parts = [shown[start : start + 500] for start in range(0, count, 500)]
    seen = [np.array(trained.model.look(part, training=False)) for part in parts]
    return codes, np.concatenate(seen).argmax(axis=-1)


true_codes, seen_codes = eye_reads(image_runs[0], banks["test"])
digit = true_codes < 10
eye_right = share_of((true_codes == seen_codes)[digit])
image_numbers = keep(
    "image-to-text",
    image_runs,
    image_scores,
    "unseen questions in handwriting of MNIST test digits; answers are the only "
    "target; arithmetic from the text-to-text model",
    **{"eye-digits": eye_right, "parameters": image_runs[0].model.count_params()},
)
line = "{:22s}{:>28s}{:>28s}"
print(line.format("90% trained", "text-to-text", "image-to-text"))
for name in image_numbers:
    scale, unit = (1, "") if "error" in name else (100, "%")
    cells = [
        show_number(numbers[name], scale, unit) if name in numbers else "-"
        for numbers in (text_numbers[90], image_numbers)
    ]
    print(line.format(name, *cells))
print(line.format("digits seen right", "-", show_number(eye_right)))


def show_answers(score, chosen, name, columns=5, seed=0):
    # `ask` drew the same questions with the same seed.
    codes = questions.encode_questions(score.questions)
    drawn = banks["test"].draw(codes, seed)
    titles = [f"{score.written[i].strip()} ({score.true[i]})" for i in chosen]
    figure = pictures.strip_grid(drawn[chosen], columns, titles)
    show_figure(figure, name, workspace)


score = image_scores[0]
show_answers(score, np.arange(15), "image-to-text-examples")
show_answers(score, np.flatnonzero(~score.exact)[:15], "image-to-text-mistakes")


def confusion(true, seen, names):
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (true, seen), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def show_confusion(axis, shares, names, title):
    axis.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(shares >= 0.0005)):
        colour = "white" if shares[row, column] > 0.4 else "black"
        text = f"{100 * shares[row, column]:.1f}"
        axis.text(column, row, text, ha="center", va="center", fontsize=5, color=colour)
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.grid(False)
    axis.set(title=title, xlabel="seen", ylabel="true")


names = list(questions.ALPHABET.replace(" ", "␣"))
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.4), width_ratios=(1.35, 1))
shares = confusion(true_codes, seen_codes, names)
show_confusion(left, shares, names, "what the eye sees (%)")
bottom = np.zeros(2)
for kind, colour in zip(kinds, colours):
    scores = (text_scores[90][0], image_scores[0])
    counts = [100 * s.count_kinds()[kind] / len(s.questions) for s in scores]
    right.bar(["text-to-text", "image-to-text"], counts, 0.5, bottom, color=colour,
              label=kind)
    bottom += counts
right.set(title="wrong answers (%)")
right.legend(fontsize=6.5)
show_figure(figure, "image-to-text-eye", workspace)


# **What to notice.** Compare the two tasks. The arithmetic is the same; what is added is
# doubt about every digit. An average question has 3.8 digits, so an eye that is right in
# a share $r$ of digits allows about $r^{3.8}$ exact answers, and that is what we see: the
# gap between image-to-text and text-to-text is the eye's, not the arithmetic's. The
# mistakes differ in kind too. A misread digit makes an answer off by any number from 1 to
# 9 or a multiple of ten, so most of them are *other* than the slips of written
# arithmetic, or of another length. And the table on the left has its
# dark diagonal although no digit was ever named: which answer fits tells it all.

# ## 7. Text-to-image
# 
# Now the answer is to be *written*. The true answer has no single picture: there are
# thousands of ways to write 105. A network that is trained to hit the pixels learns their
# mean, a grey blur. So we separate **what** is written from **how**.
# 
# - *What*: the text-to-text model's probabilities $c$ of the answer's characters.
# - *How*: a style $z \in \mathbb{R}^{24}$, drawn by chance.
# - The **painter** $p(x \mid c, z)$ makes a picture of both.
# 
# It is trained as a conditional variational autoencoder. A style encoder
# $q(z \mid x, c)$ looks at a real handwritten character and says what its style was; the
# painter has to paint it again; and styles are kept close to the standard normal
# distribution, so that they lie close together and later any draw makes a plausible hand:
# 
# $$
# \mathcal{L} = -\,\mathbb{E}_{q(z \mid x, c)} \log p(x \mid c, z)
# + \mathrm{KL}\big(q(z \mid x, c) \,\|\, \mathcal{N}(0, 1)\big)
# $$
# 
# The encoder-decoder is that of section 4 and is not changed: this model, too, has its
# arithmetic from text. What it learns here is to write.
# 
# The styles that are found never fill the standard normal distribution quite. A draw from
# a gap between them makes a picture nobody can read. So at the end a mixture of ten normal
# distributions, ten *hands*, is fitted to the styles of each character, and styles are
# drawn from that (as arXiv:1903.12436 does for a whole latent space). A pixel is a
# probability, and where the style leaves something open it is grey; the contrast of the
# painted pixels was therefore doubled. And styles are drawn nearer to the centre of their
# hand, at 0.7 of its spread: that leaves out the strangest ones, at the price of a little
# variety. Both were chosen with validation digits.

show_source(text_to_image.TextToImage.lower_bound, text_to_image.TextToImage.draw_styles)
paint_runs = [with_text("text-to-image", "text-to-image", seed) for seed in seeds]


history = paint_runs[0].run.history
figure, axis = plt.subplots(figsize=(4.2, 2.1))
epochs = np.arange(1, history.epochs + 1)
for name in ("reconstruction", "divergence"):
    axis.plot(epochs, history.losses[name], label=name)
axis.set(xlabel="epoch", ylabel="nats a picture", ylim=(0, None))
axis.legend()
show_figure(figure, "text-to-image-curves", workspace)


paint_tests = [test_part(run).test[: profile.test_questions] for run in paint_runs]
painted = [
    run.draw(questions.format_questions(test), seed=1)
    for run, test in zip(paint_runs, paint_tests)
]
texts = questions.format_questions(paint_tests[0][:18])
titles = [f"{text.strip()} =" for text in texts]
figure = pictures.strip_grid(painted[0][:18], 6, titles, cell=0.32)
show_figure(figure, "text-to-image-examples", workspace)


repeated = ["81+24"] * 8 + ["7-30"] * 8 + ["99+77"] * 8
styles = paint_runs[0].draw(repeated, seed=3)
figure = pictures.strip_grid(styles, 8, cell=0.27)
show_figure(figure, "text-to-image-styles", workspace)


# One answer while one style turns into another.
asked = questions.encode_questions(questions.parse_questions(["81+24"] * 8))
content = models.predict(paint_runs[0].model, asked)
generator = np.random.default_rng(8)
first, last = paint_runs[0].model.draw_styles(content[:2].argmax(axis=-1), generator)
steps = np.linspace(0, 1, 8, dtype="float32")[:, None, None]
between = (1 - steps) * first + steps * last
figure = pictures.strip_grid(paint_runs[0].paint(content, between), 8, cell=0.27)
show_figure(figure, "text-to-image-morph", workspace)


# **What to notice.** The first figure: unseen questions and their answers, written. The
# second: one question, many hands. Slant, width, loops and stroke change, the number does
# not. The third: the style wanders from one draw to another and the number stays the
# same. What and how really have come apart.

# ## 8. A separate reader scores the pictures
# 
# Are these answers right, and can they be read? An independent **reader** decides: a conv
# net that learnt single characters from MNIST's train digits and drawn signs. It has a
# fourteenth class, *junk*, for what is no character: two digits blended, halves of two
# digits glued together, tiles of a digit mixed. It never saw a painted picture in
# training, and no other network was trained with it, so the painter cannot have learnt to
# please it.

reader_runs = [train("reader", "reader", seed) for seed in seeds]
test_pictures, test_codes = reader.reader_examples("test", seed=1)
read = [models.predict(run.model, test_pictures).argmax(axis=-1) for run in reader_runs]
digit, junk = test_codes < 10, test_codes == reader.JUNK
reader_numbers = over_seeds(
    [
        {
            "all": share_of(codes == test_codes),
            "digits": share_of((codes == test_codes)[digit]),
            "junk": share_of((codes == test_codes)[junk]),
        }
        for codes in read
    ]
)
record(
    workspace,
    "reader",
    reader_numbers,
    config=reader_runs[0].settings,
    seeds=list(seeds),
    seconds=sum(run.run.history.seconds for run in reader_runs),
    note="MNIST test digits, drawn signs, blanks and junk of the test world",
)
for name, number in reader_numbers.items():
    print(f"reader, {name:8s}{show_number(number)}  n = {number.n}")
figure, axis = plt.subplots(figsize=(3.9, 3.4))
shares = confusion(test_codes, read[0], [*names, "?"])
show_confusion(axis, shares, [*names, "?"], "what the reader reads (%)")
show_figure(figure, "reader-confusion", workspace)


# Three more numbers keep us honest. **Real handwriting**: the reader's score for the true
# answers written with MNIST's test digits; strange hands are among them. **Prototypes**:
# one fixed picture per character, the most average one, reads perfectly and has no variety
# at all, so a reading score alone proves little. Therefore four more stand beside it, as
# shares of what real handwriting has: **variety** (the mean distance of two pictures of the
# same digit), **variance** (of the pixels of a digit), **sharpness** (the mean squared step
# between neighbouring pixels) and the **nearest** training picture's distance, which would
# be small if the painter copied.

def style_numbers(trained, test, seed=0):
    # Variety, sharpness and more of painted digits, divided by those of real ones.
    true = questions.format_answers(questions.true_answers(test))
    shown = trained.draw(questions.format_questions(test), seed)
    real = banks["test"].draw(questions.encode(true), seed)
    return handwriting.compare_handwriting(true, shown, real, banks["train"])


def prototypes(bank):
    # Of every character the one picture that is nearest to the mean picture.
    chosen = []
    for start, count in zip(bank.starts, bank.counts):
        shown = bank.images[start : start + count].astype("float32")
        distance = np.square(shown - shown.mean(axis=0)).sum(axis=(1, 2))
        chosen.append(bank.images[start + distance.argmin()])
    return np.stack(chosen)


paint_scores = [
    evaluation.Evaluation(test, reader_run.model.read(shown))
    for test, shown, reader_run in zip(paint_tests, painted, reader_runs)
]
test = paint_tests[0]
true_codes = questions.encode_answers(test)
others = {
    "real-handwriting": banks["test"].draw(true_codes, seed=2),
    "prototypes": prototypes(banks["train"])[true_codes],
}
other_numbers = {}
for name, shown in others.items():
    written = reader_runs[0].model.read(shown)
    other_numbers[name] = evaluation.Evaluation(test, written).numbers()["exact"]
style = style_numbers(paint_runs[0], test)
paint_numbers = keep(
    "text-to-image",
    paint_runs,
    paint_scores,
    "answers in handwriting as read back by the separate reader; arithmetic from text; "
    "variety and sharpness of painted digits as a share of real ones'",
    **other_numbers,
    **style,
    parameters=paint_runs[0].model.count_params(),
)
for name, number in (paint_numbers | other_numbers).items():
    scale, unit = (1, "") if "error" in name else (100, "%")
    print(f"{name:22s}{show_number(number, scale, unit)}")
for name, share in style.items():
    print(f"{name:22s}{share:.0%} of real handwriting's")


score = paint_scores[0]
wrong = np.flatnonzero(~score.exact)[:12]
texts = questions.format_questions(score.questions[wrong])
titles = [
    f"{text.strip()}: {score.written[place].strip()!r}"
    for text, place in zip(texts, wrong)
]
figure = pictures.strip_grid(painted[0][wrong], 6, titles, cell=0.32)
show_figure(figure, "text-to-image-mistakes", workspace)
print("kinds of mistakes:", score.count_kinds())


# **What to notice.** What the reader gets wrong is nearly always a matter of the hand, not
# of the sum: a stroke that is too faint, an 8 that does not close. A style from the far
# tail of the distribution is a hand the painter has hardly ever practised. Painted digits
# are a little less varied and less sharp than real ones after this short training, and a
# little nearer to the training pictures than new handwriting is: they are no copies.

# ## 9. More LSTM layers
# 
# Every encoder so far was a single bidirectional layer. Do more help? A second layer reads
# what the first one wrote down for every character (`return_sequences=True`). All depths
# learn from the same half of the questions, in the same number of steps; one layer is the
# model of section 5. More decoder layers, and up to five of each, are in the study below.

depth_runs = {(1, 1): mirror["random"]}
depth_scores = {(1, 1): mirror_scores["random"]}
depths = [(count, 1) for count in profile.depths]
for depth in depths[1:]:
    encoder_layers, decoder_layers = depth
    depth_runs[depth] = [
        train(
            "text-to-text",
            f"depth-{encoder_layers}-{decoder_layers}",
            seed,
            train_fraction=half,
            encoder_layers=encoder_layers,
            decoder_layers=decoder_layers,
        )
        for seed in seeds
    ]
    depth_scores[depth] = [ask(run) for run in depth_runs[depth]]


depth_numbers = {
    depth: over_seeds([score.numbers() for score in scores])
    for depth, scores in depth_scores.items()
}
line = "{:>7} {:>7} {:>11} {:>9} {:>26} {:>14}"
header = ("encoder", "decoder", "parameters", "seconds", "exact", "per character")
print(line.format(*header))
found = {}
for (encoder_layers, decoder_layers), numbers in depth_numbers.items():
    runs = depth_runs[encoder_layers, decoder_layers]
    seconds = np.mean([run.run.history.seconds for run in runs])
    size = runs[0].model.count_params()
    print(
        line.format(
            encoder_layers,
            decoder_layers,
            f"{size:,}",
            f"{seconds:.0f}",
            show_number(numbers["exact"]),
            f"{numbers['per-character'].value:.2%}",
        )
    )
    name = f"encoder-{encoder_layers}-decoder-{decoder_layers}"
    found |= {
        f"{name}-exact": numbers["exact"],
        f"{name}-per-character": numbers["per-character"],
        f"{name}-parameters": size,
        f"{name}-seconds": round(float(seconds), 1),
    }
record(
    workspace,
    "depth-study",
    found,
    config=depth_runs[1, 1][0].settings | {"depths": depths},
    seeds=list(seeds),
    seconds=sum(r.run.history.seconds for runs in depth_runs.values() for r in runs),
    note="50% trained, equal budgets; unseen questions",
)

figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.4))
for depth, runs in depth_runs.items():
    seen = runs[0].run.history.validation
    label = f"{depth[0]} + {depth[1]}"
    left.plot(seen["epoch"], 100 * np.array(seen["exact"]), "o-", ms=3, label=label)
left.set(xlabel="epoch", ylabel="exact, validation (%)")
left.legend(fontsize=7, loc="lower right", title="encoder + decoder layers",
            title_fontsize=7)
labels = [f"{a}+{b}" for a, b in depth_runs]
with_interval(
    right, range(len(labels)), [n["exact"] for n in depth_numbers.values()],
    fmt="o", label="exact, test",
)
right.set_xticks(range(len(labels)), labels)
right.set(xlabel="encoder + decoder layers", ylabel="exact, test (%)")
right.margins(x=0.15)
show_figure(figure, "depth-study", workspace)


# **What to notice.** A layer costs time in every step; the question is what it buys.
# Read the table with its intervals: with one seed they hold only the chance of the
# *questions*; another start of the same network can differ by more (the `full` profile
# runs several seeds). A second encoder layer can first find the digits that belong
# together and leave it to the next to add them. But every layer is also one more that has
# to be trained through all the others: deep models start later. The curves on the left
# tell the two apart: one that is still rising has not shown what it can do.

# ## 10. The study: longer runs, more seeds
# 
# What one notebook can train in minutes is one run of each kind. The study
# (`make study`, hours on two cores) has them longer and with several seeds. Every run of
# it was recorded once, with its settings and where it was made, in `results/study/`; the
# cells below only read these records. Settings were chosen with seed 0's validation
# questions; the study has other seeds, and its test questions were asked once. Intervals
# here are over **seeds** (Student's t), so they hold what another start would change.

study_folder, study_list = study.study_folder(), study_plan.all_runs()
table = study.study_table(study_list, study_folder)
if table:
    summary = study.summary(study_list, study_folder)
    write_json(workspace.results / "study.json", summary)
    origin = summary["provenance"]
    print(f"{summary['note']}; {origin['backend']}, {origin['device']}")
else:
    print(f"no recorded runs in {study_folder}; they come with the project")


def show_rows(rows, decimals=2):
    # One line for each (label, group, number) that is recorded.
    width = max(len(label) for label, _, _ in rows) + 2
    for label, group, name in rows:
        number = table.get(group, {}).get(name)
        if number is None:
            continue
        value, low, high = (
            f"{100 * x:.{decimals}f}" for x in (number.value, number.low, number.high)
        )
        about = f"n = {number.n:,}, {number.seeds} seeds"
        print(f"{label:{width}s}{value:>7}%  [{low}, {high}]  {about}")


designs = {"attention": "plain strings, attention", "place-aligned": "columns given"}
splits = ("random", "mirror-clean")
study_percents = (90, 75, 50, 25, 10, 5, 2)
rows = [
    (f"{designs[design]}, {split}, {percent}%",
     f"text-to-text-{design}-{split}-{percent}", "exact")
    for design in designs
    for split in splits
    for percent in study_percents
]
show_rows(rows)
show_rows(
    [(f"null: neighbour vote, {percent}%",
      f"text-to-text-attention-random-{percent}", "neighbour-vote")
     for percent in study_percents]
    + [(f"null: most frequent, {percent}%",
        f"text-to-text-attention-random-{percent}", "most-frequent")
       for percent in (90, 2)]
)


def plot_study(axis, groups, positions, name="exact", **style):
    found = [(x, table[g][name]) for x, g in zip(positions, groups) if g in table]
    if found:
        places, numbers = zip(*found)
        with_interval(axis, places, numbers, **style)


if table:
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.6), sharey=True)
    for axis, split in zip(axes, splits):
        for (design, label), marker in zip(designs.items(), "os"):
            groups = [f"text-to-text-{design}-{split}-{p}" for p in study_percents]
            plot_study(axis, groups, study_percents, marker=marker, ms=4, label=label)
        groups = [f"text-to-text-attention-{split}-{p}" for p in study_percents]
        plot_study(axis, groups, study_percents, "neighbour-vote", marker="^", ms=3,
                   ls="--", color="grey", label="null model: neighbour vote")
        axis.set_xscale("log")
        axis.set_xticks(study_percents, [p if p != 75 else "" for p in study_percents])
        axis.minorticks_off()
        axis.set(title=f"{split} split", xlabel="questions trained on (%)", ylim=(0, 103))
    axes[0].set(ylabel="exact answers (%)")
    axes[0].legend(loc="center right", fontsize=7)
    show_figure(figure, "study-fractions", workspace)


# **What to notice.** With columns, a tenth of all questions is nearly as good as nine
# tenths, and where columns are given, 400 questions, one in fifty, are enough for more
# than nine answers in ten, while the neighbours' vote has fallen to the level of guessing:
# with so few questions there are hardly any neighbours left. This is what it means that a
# rule was learnt and not a list. Where columns have to be *found*, 400 questions are too
# few to rely on: of three runs one found them, one half, one did not, and the
# interval spans almost everything. Without mirrored questions it is harder still. The
# mirror-clean split makes no difference as long as a quarter of the questions is known.
# 
# Where columns are *given* (structured input), the calculator is also built differently:
# its recurrent layers are half as wide, and a dense layer behind them works out what a
# column and a carry come to. So the two rows differ in more than in what is given.

print("image-to-text, 90% trained, unseen questions of unseen digits")
show_rows([
    ("eye, taught with answers only", "image-to-text-eye-answers", "exact"),
    ("   digits it reads right", "image-to-text-eye-answers", "digits-read"),
    ("   its mistakes that are misread", "image-to-text-eye-answers", "mistakes-misread"),
    ("the same eye, told every character", "image-to-text-eye-labels", "exact"),
    ("   digits it reads right", "image-to-text-eye-labels", "digits-read"),
    ("straight: conv net + LSTM", "image-to-text-cnn-lstm", "exact"),
    ("   per character", "image-to-text-cnn-lstm", "per-character"),
    ("straight: ConvLSTM", "image-to-text-conv-lstm", "exact"),
    ("   per character", "image-to-text-conv-lstm", "per-character"),
    ("straight: LSTM over pixels", "image-to-text-flattened-lstm", "exact"),
    ("   per character", "image-to-text-flattened-lstm", "per-character"),
])
print("\ntext-to-image, 90% trained, read back by the separate reader")
show_rows([
    (f"{label}{what}", f"text-to-image-{group}", name)
    for label, group in (("styles: ", "styles"), ("squares: ", "mean-squared-error"))
    for what, name in (
        ("exact answers", "exact"),
        ("the reader on real handwriting", "real-handwriting"),
        ("variety, of real", "variety"),
        ("variance, of real", "variance"),
        ("sharpness, of real", "sharpness"),
        ("nearest training digit, of real", "nearest"),
    )
])
for group in ("image-to-text-eye-answers", "image-to-text-cnn-lstm"):
    for content in study.study_contents(study_list, study_folder).get(group, [])[:1]:
        found = {kind: n for kind, n in content["mistakes"].items() if n}
        print(f"mistakes of one run, {group}: {found}")


# **What to notice.** The *straight* designs are those of earlier reports: pictures in,
# answer out, one loss, everything learnt at once, here from 180 000 questions in
# handwriting. (The eye was taught with 360 000, through a lighter conv net.) The
# calculation has to be learnt through an eye that cannot see yet, and the eye through
# a calculation that is wrong. Over flattened pixels an LSTM hardly begins: shift a digit,
# and every pixel is another input. A ConvLSTM mixes the pictures of a question before it
# knows any of them. A conv net that looks at each picture alone, with an LSTM behind it,
# gets furthest. Of its mistakes (recorded beside its numbers), a third to six in ten are off
# by 10 or a lost carry; whether it misread or miscalculated, its answer does not tell. Of
# the eye with borrowed arithmetic we know: whenever its answer was wrong, it had misread a
# character. Told every character, the same eye was no better in three runs.
# 
# The painter that is to hit the pixels (mean squared error) paints one mean picture per
# character: no variety, an eighth of the sharpness. The reader takes half of these answers
# for junk. With styles, painted answers are read better than real handwriting is, for the
# strangest hands are left out, which costs a little variety. They are as sharp, and seven
# eighths as far from the training pictures as new handwriting: they are no copies.

print("numbers of up to three digits, 90% trained: 7 characters in, 4 out")
attention, aligned = (
    f"text-to-text-{design}-three-digits-random-90" for design in designs
)
show_rows([
    ("text-to-text, plain strings", attention, "exact"),
    ("   per character", attention, "per-character"),
    ("text-to-text, columns given", aligned, "exact"),
    ("null: neighbour vote", attention, "neighbour-vote"),
    ("image-to-text", attention, "image-to-text-exact"),
    ("   per character", attention, "image-to-text-per-character"),
    ("text-to-image", attention, "text-to-image-exact"),
    ("   real handwriting, same reader", attention, "text-to-image-real-handwriting"),
])


# **What to notice.** The eye and the painter were trained with numbers of two digits, and
# neither had to learn anything new: a third digit is a third picture. Only the text
# model in the middle was exchanged. That is what parts with clear tasks are good for.
# (With 1.8 million questions to learn from, the neighbours' vote alone would be right in
# most answers; there is hardly a question without a trained one beside it.)

layers = range(1, 6)
kinds_of_depth = {
    "encoder": [f"encoder-{n}-decoder-1" for n in layers],
    "decoder": [f"encoder-1-decoder-{n}" for n in layers],
}
depth_group = "text-to-text-summary-{}-random-50".format
names_of_tasks = (
    ("exact", "text-to-text"),
    ("image-to-text-exact", "image-to-text"),
    ("text-to-image-exact", "text-to-image"),
)
for name, label in names_of_tasks:
    print(label)
    pairs = dict.fromkeys(p for pairs in kinds_of_depth.values() for p in pairs)
    show_rows([(f"   {pair}", depth_group(pair), name) for pair in pairs])
if any(group.startswith("text-to-text-summary") for group in table):
    figure, axes = plt.subplots(1, 3, figsize=(7, 2.5), sharey=True)
    for axis, (name, label) in zip(axes, names_of_tasks):
        for (side, pairs), marker in zip(kinds_of_depth.items(), "os"):
            places = np.array(layers) + (0.06 if side == "decoder" else -0.06)
            plot_study(axis, map(depth_group, pairs), places, name, marker=marker, ms=4,
                       label=f"{side} layers")
        axis.set(title=label, xlabel="layers", xticks=list(layers))
    axes[0].set(ylabel="exact answers (%)")
    axes[0].legend(fontsize=7)
    show_figure(figure, "study-depth", workspace)

    records = study.study_contents(study_list, study_folder)
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.5), sharey=True)
    for axis, (side, pairs) in zip(axes, kinds_of_depth.items()):
        bottom = np.zeros(len(pairs))
        for kind, colour in zip(kinds, colours):
            shares = np.zeros(len(pairs))
            for place, pair in enumerate(pairs):
                found = records.get(depth_group(pair), [])
                counts = [r["mistakes"][kind] / r["numbers"]["exact"]["n"] for r in found]
                shares[place] = 100 * np.mean(counts) if counts else 0
            axis.bar(list(layers), shares, bottom=bottom, label=kind, color=colour)
            bottom += shares
        axis.set(title=f"text-to-text, {side} layers", xlabel="layers")
    axes[0].set(ylabel="wrong answers (%)")
    axes[1].legend(fontsize=6.5)
    show_figure(figure, "study-depth-mistakes", workspace)


# **What to notice.** All of these learnt from half of the questions in the same number of
# steps; eye and painter are the same everywhere, only the text model in the middle
# differs. Two or three encoder layers do no harm, and two were the best in every run, by a
# little; every further decoder layer costs some. With four encoder layers or five decoder
# layers no run found the rule in these steps; with five encoder layers one run of three
# did, and two hardly began. The pictures change nothing of that: image-to-text
# and text-to-image follow the text model down, and where it is good, what is lost is lost
# by the eye and the hand.
# 
# The *mistakes* say how far each came. Where nearly all is right, what is left is off by
# 1: the units. The deep ones that did not get there are off by 1 in about a
# quarter of all answers, and most others are near, too: they know the size of an answer
# and not yet its last digit. Depth
# is not shown to be harmful as such; it is one more thing to be trained through in the
# same steps, and whether that succeeds becomes a matter of the start: the same five layers
# end near a tenth or near all, which is why the intervals are so wide there.

# **How far does it go?** A question of 100 digits needs nothing new either: the same
# column, a hundred times. But a recurrent layer is free to learn one rule for the units
# and another for the tens. A calculator that can be in only **four states** has hardly
# room to count columns. Its recurrent cell is a small network with a softmax over states,
# with noise in training that drives it to be in one state at a time; three such layers
# pass over the columns, up and down. Columns are given (structured input), and it was
# trained on numbers of at most two digits. The same calculator with LSTM cells stands
# beside it.
# 
# **Do two digits show it all?** What decides a digit of the answer is its column: both
# digits, the sign, and what is carried or borrowed. *shown* are questions of which every
# column occurs in some question of two digits. The others have one that never does. In
# 521-234, the tens lend to the units and borrow from the hundreds; in two digits, the tens
# are the highest column of the larger number and never borrow. Nor is there ever a 0 in
# the tens, to which 1 is carried in 108+109.

show_source(long_calculator.StateCell.call)
lengths = (3, 5, 10, 20, 100)
parts = ("", "-sums", "-differences", "-share-shown", "-shown", "-not-shown")
for cell in long_calculator.CELLS:
    group = f"long-numbers-{cell}"
    show_rows(
        [(f"{cell}: 2 digits, unseen questions", group, "exact")]
        + [
            (f"{cell}: {digits} digits{part.replace('-', ', ', 1).replace('-', ' ')}",
             group, f"{digits}-digits{part}")
            for digits in lengths
            for part in parts
        ]
    )
if "long-numbers-states" in table:
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.4), sharey=True)
    for axis, sign in zip(axes, ("sums", "differences")):
        for cell, marker in zip(long_calculator.CELLS, "os"):
            recorded = table.get(f"long-numbers-{cell}")
            if recorded:
                numbers = [recorded[f"{digits}-digits-{sign}"] for digits in lengths]
                with_interval(axis, lengths, numbers, marker=marker, ms=4, label=cell)
        axis.set_xscale("log")
        axis.set_xticks(lengths, lengths)
        axis.minorticks_off()
        axis.set(title=sign, xlabel="digits of both numbers", ylim=(-3, 103))
    axes[0].set(ylabel="exact answers (%)")
    axes[1].legend()
    show_figure(figure, "study-long-numbers", workspace)


# **What to notice.** With two digits, unseen questions included, hardly anything goes
# wrong; with three, two answers in five do, and at twenty digits little is left. At least
# two things stop it.
# 
# *Two digits do not show it all.* Of questions of three digits, one in five has a column that
# no question of two digits has, of those of twenty nearly all, of those of a hundred every
# one. What such a column comes to nobody has said. The calculator is right in one of six
# such questions of three digits, and in seven of ten others.
# 
# *What they show is not enough either*, else the others would all be right. More than one
# rule fits two columns. In differences the highest columns that differ decide which number
# is larger, and all lower ones have to know it; no column beyond the second ever had to
# pass that on in training. Sums, where only the carry is passed on, last longer.
# 
# *LSTM cells* may remember whatever they like. They learnt two digits faultlessly and knew
# more of three than the four states did; with sums of ten digits and more, the states got
# further. The intervals of three runs overlap, so this is no more than a hint that little
# room helps to do the same in every column, which is what it was made for.

# ### How fast
# 
# `make bench` measures the course baseline (the plain encoder-decoder of the assignment,
# one-hot arrays of everything kept in memory) and ours in turns, in one run on an
# otherwise idle machine. The value is the median of the repeats, and all repeats lie
# between the two numbers in brackets.

measured = speed.recorded_speed(speed.benchmark_folder())
speed.print_speed(measured)
if measured:
    write_json(workspace.results / "speed.json", measured)


# **What to notice.** *Cold* includes building and compiling the model, *warm* does not.
# A small model that looks in the right places needs few steps, and they are short. Most of the time and memory of making data is saved by not making it: codes are
# kept, and every picture is drawn when it is needed. *Share of the peak* is the share of
# the operations a second that a large matrix product reaches on the same machine; small
# recurrent steps use little of it, the conv net of image-to-text most.

# ## 11. Summary

print(f"profile {profile.name}; exact answers to unseen questions, 95% intervals")
for percent in percents:
    print(f"text-to-text {percent:3d}%   {show_number(text_numbers[percent]['exact'])}")
print(f"image-to-text 90%   {show_number(image_numbers['exact'])}")
print(f"text-to-image 90%   {show_number(paint_numbers['exact'])}  (read back)")
record(
    workspace,
    "train-fractions",
    {f"exact-{percent}": text_numbers[percent]["exact"] for percent in percents}
    | {
        f"neighbour-vote-{percent}": text_nulls[percent]["neighbour-vote"]
        for percent in percents
    },
    config={"fractions": list(profile.train_fractions), "profile": profile.name},
    seeds=list(seeds),
    note="plain strings, unseen questions, the same number of steps for each",
)
print("recorded:", ", ".join(sorted(p.stem for p in workspace.results.glob("*.json"))))


# - A recurrent encoder-decoder learns two-digit addition and subtraction from plain
#   strings almost perfectly, and still most of it from a tenth of all questions. It
#   helps to write numbers as on paper: at the right edge, and the answer units first.
# - One that looks for columns, as we do on paper, needs far fewer questions still.
# - Its mistakes are those of written arithmetic: a lost carry, one wrong digit, a sign.
# - In handwriting, what is lost is lost by the eye. The eye learns to read digits from
#   answers alone, by a sum over all questions that may have been asked.
# - An answer in handwriting needs what and how to be separated; then it is right as often
#   as the arithmetic is, and in many hands.
