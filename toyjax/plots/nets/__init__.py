"""Pictures of nets that can be followed by hand."""
