"""From the settings of a study to flags, a folder of results, and a report.

The one room of the package that knows absl, prints, and sets JAX up. Scripts
and `python -m toyjax` are made of it; nothing else imports it.
"""
