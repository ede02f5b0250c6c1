"""Task 1: image datasets, the generative models trained on them, and their use."""
