"""Pictures of rollouts, and of where a chain of thought goes wrong."""
