"""The proof of a genre model: metrics, thresholds, calibration, trivial predictors, reports."""
