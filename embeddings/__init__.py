"""Poster in, vectors out: reading, the genre CNN that is also the encoder, training and its proof."""
