"""The course baseline and ours, measured in one run on one machine.

Nothing here is part of the package. `make bench` writes what it finds to
results/benchmarks/, anew every time: these are measurements, of one machine.
"""
