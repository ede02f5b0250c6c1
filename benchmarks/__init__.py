"""The assignment's baseline and this project's models, measured side by side.

Nothing here is part of the package. `make bench` writes what it measures to
results/benchmarks/, anew every time: the values are of one machine.
"""
