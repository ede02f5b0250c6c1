"""Where pictures come from: data sets, folders, labels."""
