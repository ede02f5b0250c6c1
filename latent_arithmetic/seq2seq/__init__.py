"""Task 2: sequence models that answer queries in text and handwriting."""
