"""Pictures of the latent plane, and of what moves in it."""
