"""`python -m latent_arithmetic` and the console script `latent-arithmetic`."""

import sys


def main() -> int:
    """Run one command; an interruption while modules load is no traceback either."""
    try:
        from latent_arithmetic.cli import main as run
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
