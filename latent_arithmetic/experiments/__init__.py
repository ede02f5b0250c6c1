"""Which runs the tables consist of, and how they are run and recorded."""
