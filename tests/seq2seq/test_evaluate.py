"""Evaluation of answers and glyphs, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.evaluate import (
    ERROR_TYPES,
    AnswerEvaluation,
    confusion,
    evaluate,
    evaluate_classifier,
    most_frequent_answer,
    nearest_neighbor_vote,
    needs_carry,
    parse_answer,
    query_groups,
    recognize,
    repeat_queries,
    trivial_baselines,
)
from latent_arithmetic.seq2seq.glyph_metrics import (
    compare_glyphs,
    gradient_energy,
    group_by_character,
    intra_class_diversity,
    nearest_training_distance,
    pixel_variance,
    prototypes,
)
from latent_arithmetic.seq2seq.glyphs import GlyphBank, glyph_bank
from latent_arithmetic.seq2seq.queries import (
    QueryFormat,
    all_queries,
    encode,
    encode_queries,
    format_answers,
    format_queries,
    parse_queries,
    true_answers,
)
from latent_arithmetic.seq2seq.splits import random_split
from latent_arithmetic.seq2seq.tasks import TASKS


@pytest.mark.parametrize(
    "text, value",
    [("105", 105), (" -8", -8), ("  0", 0), ("8  ", None), ("-0 ", None)]
    + [(" -0", None), (" 07", None), ("1 5", None), ("   ", None), ("+ 5", None)]
    + [("1?5", None), ("--5", None)],
)
def test_an_answer_is_parsed_strictly(text, value):
    assert parse_answer(text) == value


def test_estimates_by_hand():
    queries = parse_queries(["81+24", "1-9", "5+5", "7-2"])
    found = AnswerEvaluation(queries, ["105", " -7", " 10", "5  "]).estimates()
    assert found["exact_match"].value == 0.5 and found["exact_match"].n == 4
    assert found["per_character_accuracy"].value == pytest.approx(9 / 12)
    assert found["malformed"].value == 0.25
    assert found["mean_absolute_error"].value == pytest.approx(1 / 3)
    assert found["mean_absolute_error"].n == 3


def test_malformed_answers_have_no_error():
    answers = AnswerEvaluation(parse_queries(["1+1"]), ["---"])
    assert "mean_absolute_error" not in answers.estimates()


@pytest.mark.parametrize(
    "query, predicted, error_type",
    [
        ("1+1", "  2", ""),
        ("1+1", "++2", "malformed"),
        ("1-9", "  8", "sign"),
        ("28+35", " 53", "carry or borrow"),
        ("41-18", " 33", "carry or borrow"),
        ("18-41", "-33", "carry or borrow"),
        ("21+12", " 23", "off by 10"),
        ("21+12", " 34", "off by 1"),
        ("81+24", "  5", "off by 100"),
        ("21+12", "  3", "length"),
        ("21+12", " 93", "other"),
    ],
)
def test_error_types_by_hand(query, predicted, error_type):
    answers = AnswerEvaluation(parse_queries([query]), [predicted])
    assert answers.error_types().tolist() == [error_type]
    counts = answers.count_error_types()
    assert list(counts) == list(ERROR_TYPES)
    assert sum(counts.values()) == bool(error_type)


def test_carries_by_hand():
    texts = ["28+35", "21+12", "41-18", "18-41", "48-11", "9+1", "10-10"]
    expected = [True, False, True, True, False, True, False]
    assert needs_carry(parse_queries(texts)).tolist() == expected


def test_carries_of_three_digits_by_hand():
    three = QueryFormat(3)
    queries = parse_queries(["150+60", "123+456", "300-50", "7+5"], three)
    assert needs_carry(queries, three).tolist() == [True, False, True, True]
    answers = AnswerEvaluation(queries, [" 110", " 579", " 350", "  12"], three)
    expected = ["carry or borrow", "", "carry or borrow", ""]
    assert answers.error_types().tolist() == expected
    train = parse_queries(["150+61", "990+60"], three)
    assert nearest_neighbor_vote(train, queries[:1], three) == [" 211"]


def test_every_query_is_in_one_group():
    groups = np.stack(list(query_groups(all_queries()).values()))
    assert (groups.sum(axis=0) == 1).all() and groups.any(axis=1).all()


def test_accuracy_plane_by_hand():
    queries = parse_queries(["15+25", "16+29", "15-25"])
    plane = AnswerEvaluation(queries, [" 40", " 99", "-10"]).accuracy_by_operands()
    assert plane["+"][1, 2] == 0.5 and plane["-"][1, 2] == 1
    assert np.isnan(plane["+"]).sum() == 99


def test_trivial_baselines():
    train = parse_queries(["1+1", "2+0", "3+5"])
    queries = parse_queries(["9-9", "1+5"])
    assert most_frequent_answer(train, queries) == ["  2", "  2"]
    # 1+5 has the neighbors 1+1 (=2) and 3+5 (=8); 9-9 has none.
    voted = nearest_neighbor_vote(train, queries)
    assert voted[0] == "  2" and voted[1] in ("  2", "  8")
    split = random_split(all_queries(), 0.9)
    found = trivial_baselines(split.train, split.test)
    assert 0.4 < found["nearest_neighbor_vote"].value < 0.8
    assert found["most_frequent_answer"].value < 0.02


def test_few_queries_are_repeated():
    queries = all_queries()[:1_500]
    assert len(repeat_queries(queries, 20_000)) == 6_000
    assert len(repeat_queries(queries, 60)) == 60
    assert (repeat_queries(all_queries(), 20_000) == all_queries()).all()


class Solver:
    """A trained model of any task that knows every answer, and reads a 9 as a 4."""

    format = QueryFormat(2)

    def __init__(self, task):
        self.spec = TASKS[task]
        self.model = SimpleNamespace(recognize_queries=self.recognize_queries)

    def expect(self, ability, use):
        if not getattr(self.spec, ability):
            raise UserError(use)

    def answer(self, queries):
        return format_answers(true_answers(parse_queries(queries)))

    def answer_images(self, images):
        codes = self.recognize_queries(images)
        return ["  4" if (row == 4).any() else " 12" for row in codes]

    def answer_as_images(self, queries, seed):
        return glyph_bank("test").sample(encode(self.answer(queries)), seed)

    def recognize_queries(self, images):
        codes = encode_queries(self.queries)
        return np.where(codes == 9, 4, codes)


def test_one_function_evaluates_every_task():
    queries = parse_queries(["3+9", "7+5"] * 30)
    estimates, answers = evaluate(Solver("text-to-text"), queries)
    assert estimates["exact_match"].value == 1 and len(answers.predicted) == 60
    reading = Solver("image-to-text")
    reading.queries = queries
    estimates, answers = evaluate(reading, queries)
    assert estimates["exact_match"].value == 0.5
    assert estimates["digit_accuracy"].value == 0.75
    assert estimates["errors_with_misread_character"].value == 1
    texts = format_queries(queries)
    texts[:30] = [text.replace("9", "?") for text in texts[:30]]
    classifier = SimpleNamespace(recognize=lambda images: texts)
    estimates, _ = evaluate(reading, queries, classifier)
    assert estimates["queries_the_classifier_misreads"].value == 0.25
    assert estimates["errors_the_classifier_misreads"].value == 0.5
    drawing = Solver("text-to-image")
    with pytest.raises(UserError, match="digit-classifier"):
        evaluate(drawing, queries)

    def recognize(images, may_reject=True):
        return [" ?2" if may_reject and place % 2 else " 12" for place in range(60)]

    classifier = SimpleNamespace(recognize=recognize)
    estimates, answers = evaluate(drawing, queries, classifier)
    assert estimates["exact_match"].value == 0.5
    assert estimates["exact_match_without_reject"].value == 1
    assert estimates["real_glyphs_exact_match"].value == 0.5
    assert 0.5 < estimates["intra_class_diversity"].value < 2
    assert estimates["gradient_energy"].unit == "% of real"
    with pytest.raises(UserError, match="no query"):
        evaluate(drawing, queries[:0], classifier)
    with pytest.raises(UserError, match="evaluation with queries"):
        evaluate(Solver("digit-classifier"), queries)


class ByBrightness:
    """A network that classifies an image by its mean."""

    def predict_on_batch(self, images):
        codes = np.round(10 * np.asarray(images).reshape(len(images), -1).mean(axis=1))
        return np.eye(14)[np.clip(codes, 0, 13).astype(int)]


def test_single_glyphs_are_recognized():
    ones = np.ones((13, 28, 28)) * np.arange(13)[:, None, None] / 10 * 255
    bank = GlyphBank(ones, np.arange(13), np.ones(13, int))
    model = SimpleNamespace(cnn=ByBrightness())
    true, recognized = recognize(model, bank, count=600)
    assert len(true) == 600 and (true == recognized).all()


def test_a_classifier_is_evaluated_by_group():
    estimates, true, predicted = evaluate_classifier(ByBrightness(), "validation")
    assert set(estimates) == {"accuracy", "digit_accuracy", "reject_accuracy"}
    assert len(true) == len(predicted) == estimates["accuracy"].n
    assert estimates["digit_accuracy"].n == 5_000


def test_confusion_by_hand():
    rows = confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 3)
    assert rows.tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]]


def test_diversity_variance_and_gradients_by_hand():
    same = np.full((5, 28, 28), 200, "uint8")
    assert intra_class_diversity(same) == 0 and gradient_energy(same) == 0
    half = np.concatenate([np.zeros_like(same), np.full_like(same, 255)])
    assert intra_class_diversity(half) == pytest.approx(0.5, abs=0.05)
    assert pixel_variance(half) == pytest.approx(0.25)
    stripes = np.zeros((1, 28, 28), "uint8")
    stripes[:, ::2] = 255
    assert gradient_energy(stripes) == pytest.approx(0.5)


def test_glyphs_are_grouped_by_character():
    images = np.arange(6, dtype="uint8").reshape(2, 3, 1, 1)
    groups = group_by_character([" 12", "-11"], images)
    assert set(groups) == {" ", "1", "2", "-"}
    assert groups["1"].ravel().tolist() == [1, 4, 5]


def test_nearest_training_distance_by_hand():
    train = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)]).astype("uint8")
    glyphs = np.stack([np.full((28, 28), 51), np.full((28, 28), 255)]).astype("uint8")
    found = nearest_training_distance(glyphs, train)
    assert found == pytest.approx(0.1, abs=1e-4)


def test_a_prototype_is_the_glyph_nearest_to_the_mean():
    images = np.ones((3, 28, 28), "uint8") * np.array([[[0]], [[90]], [[240]]], "uint8")
    bank = GlyphBank(images, np.array([0]), np.array([3]))
    assert (prototypes(bank) == 90).all()


def test_real_handwriting_compares_with_real_handwriting():
    train, test = glyph_bank("train"), glyph_bank("test")
    texts = ["105", " 48", "267", " 39"] * 60
    real, other = (test.sample(encode(texts), seed) for seed in (0, 1))
    ratios = compare_glyphs(texts, other, real, train)
    assert all(0.85 < ratio < 1.15 for ratio in ratios.values())
    same = np.repeat(real[:4], 60, axis=0)
    alike = compare_glyphs(sorted(texts), same, real, train)
    assert alike["intra_class_diversity"] < 0.5
    copies = compare_glyphs(texts, train.sample(encode(texts)), real, train)
    assert copies["nearest_training_distance"] < 0.8
