"""The networks, the three models made of them, and how each is trained."""
