"""Names of the studies, found without importing any of them.

folder of the package --names--> ['certify_failure', ...]
"""

import pathlib
import pkgutil

FOLDER = pathlib.Path(__file__).parent / 'studies'


def names() -> list[str]:
  """Returns the names of all studies, which are packages of `studies`."""
  modules = pkgutil.iter_modules([str(FOLDER)])
  return sorted(module.name for module in modules if module.ispkg)
