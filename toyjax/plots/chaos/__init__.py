"""Pictures of the chaos map."""
