"""`python -m latent_arithmetic` is the console script `latent-arithmetic`."""

from latent_arithmetic.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
