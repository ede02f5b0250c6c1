"""How good pictures are, measured."""
