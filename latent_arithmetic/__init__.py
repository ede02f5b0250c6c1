"""Arithmetic in a latent space (Task 1) and through one (Task 2)."""

__version__ = "0.1.0"
