"""A verifier for text that people write: data sets, and what was tried in training."""
