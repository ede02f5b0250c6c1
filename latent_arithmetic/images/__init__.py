"""Task 1: pictures, the models that learn them, and what can be done with those."""
