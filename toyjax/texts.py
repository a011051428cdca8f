r"""Text of unknown origin, made fit for a terminal.

Words, sentences and names in a user's data may hold anything: signs that a
terminal obeys, signs that turn the line around, halves of a letter that no
encoding can write.

    printable    what cannot be seen is an escape such as \x1b
    shorten      in one line of limited length
    spans        numbers, with runs of them from first to last
"""

from collections.abc import Iterable


def printable(text: str, *, keep: str = '') -> str:
  r"""Returns the text with everything that cannot be seen as an escape.

  Control characters, marks of direction, spaces without width and lone
  surrogates become \x1b, \u202e and the like; a backslash is left as it is.

  Args:
    text: of any origin.
    keep: characters that stay as they are, such as a line feed.
  """
  if text.isprintable():
    return text
  return ''.join(
    letter if letter.isprintable() or letter in keep else escape(letter)
    for letter in text
  )


def shorten(text: str, length: int) -> str:
  """Returns the text in one line of at most that many printable characters.

  White space is made single, and an ellipsis stands for what is cut off.
  """
  return cut(printable(' '.join(text.split())), length)


def cut(text: str, length: int) -> str:
  """Returns at most so many characters, with an ellipsis for the rest."""
  return text if len(text) <= length else text[: length - 1].rstrip() + '…'


def escape(letter: str) -> str:
  """Returns what Python writes for a character that cannot be seen."""
  return letter.encode('unicode_escape').decode('ascii')


def spans(numbers: Iterable[int]) -> str:
  """Writes increasing whole numbers 0, 1, 2, 3, 7 as '0-3 7'."""
  found: list[list[int]] = []
  for number in numbers:
    if found and number == found[-1][-1] + 1:
      found[-1].append(int(number))
    else:
      found.append([int(number)])
  return ' '.join(
    str(s[0]) if len(s) == 1 else f'{s[0]}-{s[-1]}' for s in found
  )
