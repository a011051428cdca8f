"""Pictures: every function draws on an Axes that it is given."""
