"""Evaluation of answers: exact-match accuracy, error types, trivial baselines."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from latent_arithmetic.io import UserError
from latent_arithmetic.records import Estimate, fraction_of, mean_of_examples
from latent_arithmetic.seq2seq.digit_classifier import (
    REJECT,
    DigitClassifier,
    classifier_examples,
)
from latent_arithmetic.seq2seq.glyph_metrics import compare_glyphs
from latent_arithmetic.seq2seq.glyphs import MAX_INTENSITY, GlyphBank, glyph_bank
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    TWO_DIGITS,
    QueryFormat,
    carries,
    decode,
    encode_answers,
    encode_queries,
    format_answers,
    format_queries,
    true_answers,
)
from latent_arithmetic.seq2seq.text_to_text import predict

ERROR_TYPES = (
    "malformed",
    "sign",
    "carry or borrow",
    "off by 1",
    "off by 10",
    "off by 100",
    "length",
    "other",
)
GLYPH_SEED, REFERENCE_SEED = 1, 2  # of the handwriting and styles in a test
MIN_DRAWN_QUERIES = 6_000  # few test queries are drawn several times


def parse_answer(text: str) -> int | None:
    """The integer an answer's text stands for; None if it is malformed."""
    digits = text.strip(" ")
    if not digits.removeprefix("-").isdecimal() or not digits.isascii():
        return None
    value = int(digits)
    return value if str(value).rjust(len(text)) == text else None


def _places(query_format: QueryFormat) -> list[int]:
    return [10**power for power in range(1, query_format.max_digits)]


def needs_carry(
    queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> np.ndarray:
    """Whether queries [n, 3] need a carry or a borrow: bool [n]; one out of the highest
    place, as in 81+24, does not count."""
    nowhere = np.zeros(len(queries), bool)
    places = _places(query_format)
    return np.any([nowhere, *(carries(queries, place) for place in places)], axis=0)


def query_groups(queries: np.ndarray) -> dict[str, np.ndarray]:
    """Two-digit queries [n, 3] by what has to be computed: name to bool [n]."""
    plus, carry = queries[:, 1] > 0, needs_carry(queries)
    negative = true_answers(queries) < 0
    return {
        "+ without carry": plus & ~carry,
        "+ with carry": plus & carry,
        "- without borrow": ~plus & ~carry & ~negative,
        "- with borrow": ~plus & carry & ~negative,
        "- below zero": ~plus & negative,
    }


@dataclass(frozen=True)
class AnswerEvaluation:
    """The answers a model gave to queries, compared with the true ones.

    Args:
        queries: int [n, 3].
        predicted: n texts, as long as the longest answer of `query_format`.
    """

    queries: np.ndarray
    predicted: list[str]
    query_format: QueryFormat = TWO_DIGITS

    @property
    def true(self) -> np.ndarray:
        """The true answers: int [n]."""
        return true_answers(self.queries)

    @property
    def expected(self) -> list[str]:
        """The true answers as texts."""
        return format_answers(self.true, self.query_format)

    @property
    def exact_match(self) -> np.ndarray:
        """Whether every character of an answer is right: bool [n]."""
        return np.array(self.predicted) == np.array(self.expected)

    @property
    def values(self) -> np.ndarray:
        """The predicted integers: float [n], NaN where malformed."""
        values = [parse_answer(text) for text in self.predicted]
        return np.array([np.nan if v is None else v for v in values])

    @property
    def errors(self) -> np.ndarray:
        """Predicted minus true: float [n], NaN where malformed."""
        return self.values - self.true

    def error_types(self) -> np.ndarray:
        """The error type of each wrong answer, '' for a right one: [n].

        The first of `ERROR_TYPES` that fits. 'sign': right but for the minus. 'carry
        or borrow': the result if it is forgotten. 'length': another number of
        characters.
        """
        values, true, error = self.values, self.true, np.abs(self.errors)
        missing = np.where(self.queries[:, 1] > 0, -1, 1)
        excess = np.abs(values) - np.abs(true)
        forgotten = [
            carries(self.queries, place) & (excess == missing * place)
            for place in _places(self.query_format)
        ]
        lengths = [len(p.strip()) != len(e.strip()) for p, e in self._pairs()]
        fits = [
            np.isnan(values),
            values == -true,
            np.any(forgotten, axis=0) & (values * true >= 0),
            error == 1,
            error == 10,
            error == 100,
            np.array(lengths),
        ]
        types = np.select(fits, ERROR_TYPES[:-1], ERROR_TYPES[-1])
        return np.where(self.exact_match, "", types)

    def count_error_types(self) -> dict[str, int]:
        """How often each of `ERROR_TYPES` occurs."""
        counts = Counter(self.error_types().tolist())
        return {name: counts[name] for name in ERROR_TYPES}

    def shares(self) -> dict[str, float]:
        """Exact-match accuracy and, of all answers, the fraction of each error type."""
        counts = self.count_error_types()
        fractions = {name: count / len(self.queries) for name, count in counts.items()}
        return {"exact_match": float(self.exact_match.mean()), **fractions}

    def estimates(self) -> dict[str, Estimate]:
        """Exact-match and per-character accuracy, malformed answers, absolute error.

        Malformed answers have no error.
        """
        right = [p == e for pair in self._pairs() for p, e in zip(*pair, strict=True)]
        malformed = np.isnan(self.values)
        estimates = {
            "exact_match": fraction_of(self.exact_match),
            "per_character_accuracy": fraction_of(np.array(right)),
            "malformed": fraction_of(malformed),
        }
        if not malformed.all():
            errors = np.abs(self.errors[~malformed])
            estimates["mean_absolute_error"] = mean_of_examples(errors)
        return estimates

    def accuracy_by_operands(self, block: int = 10) -> dict[str, np.ndarray]:
        """Exact-match accuracy over blocks of (a, b), for a + b and for a - b.

        Returns:
            For '+' and '-' a square float array (rows: a), [10, 10] for two digits,
            NaN where there is no query.
        """
        plane = {}
        for name, sign in (("+", 1), ("-", -1)):
            chosen = self.queries[:, 1] == sign
            left, _, right = (self.queries[chosen] // block).T
            size = self.query_format.highest // block + 1
            count, correct = np.zeros((2, size, size))
            np.add.at(count, (left, right), 1)
            np.add.at(correct, (left, right), self.exact_match[chosen])
            with np.errstate(invalid="ignore"):
                plane[name] = correct / count
        return plane

    def _pairs(self):
        return zip(self.predicted, self.expected, strict=True)


def most_frequent_answer(
    train: np.ndarray, queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> list[str]:
    """Trivial baseline: the most frequent training answer, whatever the query is."""
    values, counts = np.unique(true_answers(train), return_counts=True)
    return format_answers(
        np.repeat(values[counts.argmax()], len(queries)), query_format
    )


def nearest_neighbor_vote(
    train: np.ndarray, queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> list[str]:
    """Trivial baseline: similar training queries vote on every character.

    Those that differ from the query in a single digit vote. Where there are none, the
    most frequent training characters at each position are taken.
    """
    span = query_format.highest + 1
    known = np.zeros((2, span, span), bool)
    known[(train[:, 1] > 0).astype(int), train[:, 0], train[:, 2]] = True
    votes = np.zeros((len(queries), query_format.answer_length, len(ALPHABET)), "int32")
    rows = np.arange(len(queries))
    for column in (0, 2):
        for place in (1, *_places(query_format)):
            digit = queries[:, column] // place % 10
            for other in range(10):
                neighbors = queries.copy()
                neighbors[:, column] += (other - digit) * place
                left, sign, right = neighbors.T
                votes_now = known[(sign > 0).astype(int), left, right]
                votes_now &= other != digit
                codes = encode_answers(neighbors, query_format)
                for position in range(codes.shape[1]):
                    votes[rows, position, codes[:, position]] += votes_now
    one_hot = np.eye(len(ALPHABET), dtype="int32")
    fallback = one_hot[encode_answers(train, query_format)].sum(axis=0)
    without_neighbors = votes.sum(axis=(1, 2)) == 0
    votes[without_neighbors] = fallback
    return decode(votes.argmax(axis=-1))


BASELINES = {
    "nearest_neighbor_vote": nearest_neighbor_vote,
    "most_frequent_answer": most_frequent_answer,
}


def trivial_baselines(
    train: np.ndarray, queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> dict[str, Estimate]:
    """Exact-match accuracy of each of `BASELINES` on queries [n, 3]."""
    return {
        name: fraction_of(
            AnswerEvaluation(
                queries, baseline(train, queries, query_format), query_format
            ).exact_match
        )
        for name, baseline in BASELINES.items()
    }


def evaluate(
    trained, queries: np.ndarray, classifier=None, *, seed: int = GLYPH_SEED
) -> tuple[dict[str, Estimate], AnswerEvaluation]:
    """Evaluate any trained sequence model on queries, in handwriting where it is used.

    Args:
        trained: a `TrainedSequenceModel` that answers queries.
        queries: int [n, 3], which the model was not trained on.
        classifier: a trained digit classifier, which recognizes the characters of a
            text-to-image model's answers, and of an image-to-text model's queries.
        seed: of the handwriting that is read, or of the styles that are drawn.

    Returns:
        Estimates and the answers. An image-to-text model that names characters gets
        `digit_accuracy` and `errors_with_misread_character` too. With a classifier, any
        gets `queries_the_classifier_misreads` and `errors_the_classifier_misreads`: of
        all queries, and of those answered wrongly, the fraction in which the classifier
        misreads a character. A text-to-image model gets `exact_match_without_reject`
        (every image has to be taken for one of the 13 characters),
        `real_glyphs_exact_match` (the classifier on real handwriting of the true
        answers) and what `compare_glyphs` measures.

    Raises:
        UserError: there is no query, or no classifier where one is needed.
    """
    trained.expect("answers_queries", "evaluation with queries")
    if not len(queries):
        raise UserError(
            "received no query to evaluate with: the model was trained on all of them; "
            "train it on fewer"
        )
    if trained.spec.gives_images:
        return _evaluate_drawn_answers(trained, queries, classifier, seed)
    if trained.spec.takes_images:
        return _evaluate_reading(trained, queries, classifier, seed)
    texts = format_queries(queries, trained.format)
    answers = AnswerEvaluation(queries, trained.answer(texts), trained.format)
    return answers.estimates(), answers


def _evaluate_reading(
    trained, queries: np.ndarray, classifier, seed: int
) -> tuple[dict[str, Estimate], AnswerEvaluation]:
    """An image-to-text model on queries in handwriting of the test split."""
    codes = encode_queries(queries, trained.format)
    images = glyph_bank("test").sample(codes, seed)
    answers = AnswerEvaluation(queries, trained.answer_images(images), trained.format)
    estimates = answers.estimates()
    wrong = ~answers.exact_match
    if classifier is not None:
        texts = np.array(format_queries(queries, trained.format))
        misread = np.array(classifier.recognize(images)) != texts
        estimates["queries_the_classifier_misreads"] = fraction_of(misread)
        if wrong.any():
            found = fraction_of(misread[wrong])
            estimates["errors_the_classifier_misreads"] = found
    recognized = trained.model.recognize_queries(images)
    if recognized is not None:
        right = recognized == codes
        estimates["digit_accuracy"] = fraction_of(right[codes < 10])
        if wrong.any():
            misread = (~right[wrong]).any(axis=1)
            estimates["errors_with_misread_character"] = fraction_of(misread)
    return estimates, answers


def _evaluate_drawn_answers(
    trained, queries: np.ndarray, classifier, seed: int
) -> tuple[dict[str, Estimate], AnswerEvaluation]:
    """A text-to-image model, whose drawn answers the classifier recognizes."""
    if classifier is None:
        raise UserError(
            "received no classifier; the answers of a text-to-image model are "
            "recognized by one: train it with `train digit-classifier`"
        )
    drawn = trained.answer_as_images(format_queries(queries, trained.format), seed)
    codes = encode_answers(queries, trained.format)
    real = glyph_bank("test").sample(codes, REFERENCE_SEED)
    answers, reference = (
        AnswerEvaluation(queries, classifier.recognize(images), trained.format)
        for images in (drawn, real)
    )
    forced = AnswerEvaluation(
        queries, classifier.recognize(drawn, may_reject=False), trained.format
    )
    estimates = answers.estimates()
    estimates["exact_match_without_reject"] = fraction_of(forced.exact_match)
    estimates["real_glyphs_exact_match"] = fraction_of(reference.exact_match)
    ratios = compare_glyphs(answers.expected, drawn, real, glyph_bank("train"))
    for name, ratio in ratios.items():
        estimates[name] = Estimate(ratio, ratio, ratio, len(queries), unit="% of real")
    return estimates, answers


def repeat_queries(queries: np.ndarray, most: int) -> np.ndarray:
    """Queries [n, 3] repeated until there are enough to draw, `most` at most; each
    repetition is drawn in other handwriting."""
    times = max(1, -(-min(MIN_DRAWN_QUERIES, most) // len(queries)))
    return np.tile(queries, (times, 1))[:most]


def evaluate_classifier(
    classifier: DigitClassifier, split: str = "test", seed: int = 1
) -> tuple[dict[str, Estimate], np.ndarray, np.ndarray]:
    """Accuracy of a digit classifier on characters and rejects of a split.

    Returns:
        Estimates, and the true and the predicted codes [n].
    """
    images, codes = classifier_examples(split, seed)
    predicted = predict(classifier, images).argmax(axis=-1)
    right = predicted == codes
    return (
        {
            "accuracy": fraction_of(right),
            "digit_accuracy": fraction_of(right[codes < 10]),
            "reject_accuracy": fraction_of(right[codes == REJECT]),
        },
        codes,
        predicted,
    )


def recognize(
    model, bank: GlyphBank, count: int = 5_000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """True and recognized codes [count] of random single glyphs.

    Args:
        model: a `ModularImageToText`.
    """
    codes = np.random.default_rng(seed).integers(len(ALPHABET), size=count)
    glyphs = bank.sample(codes, seed)[..., None] / np.float32(MAX_INTENSITY)
    return codes, predict(model.cnn, glyphs).argmax(axis=-1)


def confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Confusion matrix of codes [n]: rows (true) that sum to 1, [classes, classes]."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (true, predicted), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
