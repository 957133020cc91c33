"""How good "more like this" is, measured offline: protocols, rows, metrics, intervals, report."""
