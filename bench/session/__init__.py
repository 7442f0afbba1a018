"""One run from the options to the summary."""
