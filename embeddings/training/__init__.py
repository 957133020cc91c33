"""The training system: labels, splits, data, losses, the loop, and its comparisons."""
