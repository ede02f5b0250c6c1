"""From notebooks and results to what is handed in: executed notebooks, twins,
self-contained edition, report, submission archive."""
