"""What can happen to the files of a store."""

import shutil


def mutations(files):
  """Yields what can happen to each file, as functions of its path."""
  damage = {
    'gone': lambda file: file.unlink(),
    'empty': lambda file: file.write_bytes(b''),
    'cut': lambda file: file.write_bytes(file.read_bytes()[:-3]),
    'folder': lambda file: (file.unlink(), file.mkdir()),
    'flipped': lambda file: file.write_bytes(
      bytes([*file.read_bytes()[:9], *(b ^ 1 for b in file.read_bytes()[9:])])
    ),
  }
  for file in files:
    for name, change in damage.items():
      yield file, name, change
    for other in files:
      if other.suffix == file.suffix and other != file:
        yield file, other, lambda f, o=other: shutil.copy(o, f)
