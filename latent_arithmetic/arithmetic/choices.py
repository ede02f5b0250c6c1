"""What there is to choose from in Task 2, by name; the first is the default.

The command line names them in its help, before anything of Keras is loaded.
"""

TASKS = ("text-to-text", "image-to-text", "text-to-image", "reader")
SPLITS = ("random", "mirror-clean")
# How text is answered: from a summary of the plain string, from columns that attention
# finds in the plain string, or from columns that are given (structured input).
DESIGNS = ("summary", "attention", "place-aligned")
READINGS = ("eye", "flattened-lstm", "conv-lstm", "cnn-lstm")  # pictures to the answer
SUPERVISIONS = ("answers", "labels")  # what an eye is taught with
PAINTINGS = ("styles", "mean-squared-error")
