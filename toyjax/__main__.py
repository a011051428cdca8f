"""`python -m toyjax`: lists the studies, or runs one."""

from toyjax.command.main import main

if __name__ == '__main__':
  main()
