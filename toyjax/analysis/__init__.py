"""What a run means, while it goes on and when it has ended."""
