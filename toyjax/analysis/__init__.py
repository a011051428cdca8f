"""What a finished run means: what it ended in, and how it got there."""
