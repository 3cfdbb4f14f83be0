"""Training with differential privacy: draws, bounded gradients, noise, and what it all comes to."""
