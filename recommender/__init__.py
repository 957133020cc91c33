"""Which movies are like this one, in what order, and why."""
