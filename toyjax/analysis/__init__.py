"""What a finished run means: geometry, critical points, certificates."""
