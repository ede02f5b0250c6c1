"""Task 2: read '81+24' as text or handwriting, answer as text or handwriting."""
