"""Experiments that train nothing, for the tests of the driver and its workers."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latent_arithmetic.experiments.base import Experiment, Measurement
from latent_arithmetic.records import fraction_of

CATALOG = "tests.experiments.coins:all_coins"
PROJECT = Path(__file__).parents[2]  # has to be on the path of workers


@dataclass(frozen=True)
class Coin(Experiment):
    """Hits are counted; `accident`: "error", "killed" each time, "killed once", or
    "memory", of which it takes more and more, up to 8 GiB."""

    seed: int
    bias: float = 0.5
    accident: str = ""
    group: str = "coin"
    purpose: str = "a test"

    @property
    def config(self) -> dict:
        return {"seed": self.seed, "bias": self.bias}

    def measure(self, work, profile) -> Measurement:
        with open(work / f"{self.name}.count", "a") as file:
            file.write("measured\n")
        times = len((work / f"{self.name}.count").read_text().splitlines())
        if self.accident == "error":
            raise ValueError("the coin is lost")
        if self.accident == "killed" or (self.accident == "killed once" and times < 2):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.accident == "memory":
            generator, taken = np.random.default_rng(0), []
            for _ in range(32):
                taken.append(generator.random(2**25))  # 256 MiB
        hits = np.arange(100) < 100 * self.bias + self.seed
        samples = np.zeros((3, 8, 8, 3), "uint8")
        estimates = {"exact_match": fraction_of(hits)}
        return Measurement(estimates, {"parameters": 1}, 1.23, samples)


def all_coins() -> list[Coin]:
    accidents = {3: "error", 4: "killed", 5: "killed once", 9: "memory"}
    return [Coin(seed, accident=accidents.get(seed, "")) for seed in range(1, 10)]
