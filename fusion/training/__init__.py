"""Training the networks: the loss of equation 4, simulated patches, the trainer."""
