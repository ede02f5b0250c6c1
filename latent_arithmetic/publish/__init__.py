"""From notebooks and records to what is handed in: scripts, self-contained edition,
report, published files, submission archive."""
