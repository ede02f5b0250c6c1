"""A calculator of few states, for numbers of any length.

Whoever adds on paper keeps one thing in mind from column to column: the carry. A
recurrent layer that can be in only a few states has no room for more, and none to
count columns; so what it does in the second column it does in the hundredth.
"""

import keras
from keras import layers, ops

from latent_arithmetic.arithmetic.columns import ROLES, JoinDigits
from latent_arithmetic.arithmetic.questions import ALPHABET

LAYERS = 3  # recurrent, each passing over the columns in both directions
STATES = 4  # of every recurrent layer, each direction
CELL_WIDTH = 32  # hidden units that choose the next state
OUT_WIDTH = 64  # hidden units that choose a character
CERTAINTY = 4.0  # factor on the scores of the states, so that one of them wins


class StateCell(layers.Layer):
    """A recurrent cell in one of a few states, softly; for `keras.layers.RNN`.

    The next state's probabilities are a softmax of a small network of the input and
    of the present ones. Noise on the scores in training drives them apart, so that
    the cell comes to be in one state at a time (as the discretised units of
    Salakhutdinov and Hinton, 2009, and the neural GPU's saturation, arXiv:1511.08228).
    """

    def __init__(self, states: int = STATES, noise: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = states
        self.noise = noise
        self.seed_generator = keras.random.SeedGenerator(0)

    def build(self, input_shape):
        self.inner = layers.Dense(CELL_WIDTH, activation="relu")
        self.inner.build((None, input_shape[-1] + self.state_size))
        self.scores = layers.Dense(self.state_size, use_bias=False)
        self.scores.build((None, CELL_WIDTH))

    def call(self, inputs, states, training=None):
        hidden = self.inner(ops.concatenate([inputs, states[0]], axis=-1))
        scores = CERTAINTY * self.scores(hidden)
        if training and self.noise:
            noise = keras.random.normal(ops.shape(scores), seed=self.seed_generator)
            scores = scores + self.noise * noise
        state = ops.softmax(scores)
        return state, [state]


CELLS = {"states": StateCell, "lstm": lambda: layers.LSTMCell(CELL_WIDTH)}


def build_long_calculator(cell: str = "states") -> keras.Model:
    """Columns [n, places, 3, 13] of any number of places, units first, to logits.

    cell: one of CELLS; "lstm" may remember whatever it likes.

    Returns: logits [n, places, 13], units first. Every layer passes over the columns
        in both directions and sees what the layers before it found.
    """
    columns = keras.Input((None, ROLES, len(ALPHABET)))
    x = JoinDigits()(columns)
    for _ in range(LAYERS):
        up, down = (
            layers.RNN(CELLS[cell](), return_sequences=True, go_backwards=backwards)(x)
            for backwards in (False, True)
        )
        x = layers.Concatenate()([x, up, ops.flip(down, axis=1)])
    x = layers.Dense(OUT_WIDTH, activation="relu")(x)
    logits = layers.Dense(len(ALPHABET))(x)
    return keras.Model(columns, logits, name="long_calculator")
