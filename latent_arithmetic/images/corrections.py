"""Arithmetic that looks at what it has drawn, and corrects it."""

from dataclasses import dataclass

import numpy as np

from latent_arithmetic.images.data.datasets import Pictures
from latent_arithmetic.images.directions import Arithmetic, Change, hidden_pairs
from latent_arithmetic.images.trained import Trained

CORRECTIONS = 2  # a third changes little


@dataclass(frozen=True)
class CorrectedArithmetic(Arithmetic):
    """Arithmetic in a loop: the encoder of a model that was told attributes sees them
    in any picture, so in what arithmetic gives as well. What is missing is added once
    more, and what is there too much is taken away.

    trained: the model. worn: bool [n, attributes], what the encoder sees in the
        pictures that may be changed. hidden: what it does not see beside other things
        in real pictures, see ``hidden_pairs``, and leaves alone: nobody wants an
        earring drawn over long hair.
    """

    trained: Trained
    worn: np.ndarray
    hidden: np.ndarray

    def apply(self, changes: list[Change]) -> np.ndarray:
        """The codes of changed pictures: [changes, dimensions]."""
        codes = super().apply(changes)
        wanted = np.stack(
            [change.wanted(self.worn[change.picture]) for change in changes]
        )
        covered = wanted @ self.hidden.T
        for _ in range(CORRECTIONS):
            seen = self.trained.see(self.trained.decode(codes))
            missed = np.where(covered, 0, wanted.astype(int) - seen)
            codes = codes + (missed @ self.directions).astype(np.float32)
        return codes


def corrected(
    arithmetic: Arithmetic, trained: Trained, pictures: Pictures
) -> CorrectedArithmetic:
    """The same arithmetic with corrections; its codes are those of the test part."""
    seen = trained.see(pictures.train)
    return CorrectedArithmetic(
        **vars(arithmetic),
        trained=trained,
        worn=trained.see(pictures.test),
        hidden=hidden_pairs(seen, pictures.train_labels),
    )
