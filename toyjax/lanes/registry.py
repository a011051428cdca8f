"""Rules by the names of their primitives.

@registering(RULES)('add', 'sub') --> RULES['add'] = RULES['sub'] = the function
"""

from collections.abc import Callable
from typing import TypeVar

F = TypeVar('F')


def registering(rules: dict[str, F]) -> Callable[..., Callable[[F], F]]:
  """Returns a decorator with names, which enters a function into `rules`."""

  def rule(*names: str) -> Callable[[F], F]:
    def register(function: F) -> F:
      rules.update(dict.fromkeys(names, function))
      return function

    return register

  return rule
