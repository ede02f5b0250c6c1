"""From notebooks and records to the submission: scripts, self-contained edition,
report, published files, zip archive."""
