"""Pruned models compared by their loss on held-out text."""
