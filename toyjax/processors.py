"""Which instructions XLA may compile for, since the last bits hang on them.

Code with fused multiply-adds (AVX2 and later) rounds otherwise than code
without: labels of runs near a boundary differ from one processor to another.
"""

import ctypes
import hashlib
import os
import pathlib
import platform
import re
import subprocess
import sys

# Lowest first, by XLA's names, with the names of their features in Linux, in
# macOS and, as numbers, in Windows.
_SETS = (
  ('SSE4_2', 'sse4_2', 'sse4.2', 38),
  ('AVX', 'avx', 'avx1.0', 39),
  ('AVX2', 'avx2', 'avx2', 40),
  ('AVX512', 'avx512f', 'avx512f', 41),
)
_CAP = re.compile(r'--xla_cpu_max_isa=[\'"]?(\w+)')


def model() -> str | None:
  """Returns the name of the processor, None where it is not known."""
  if sys.platform == 'darwin':
    return _sysctl('machdep.cpu.brand_string')
  found = _cpuinfo('model name') or platform.processor()
  return found or None


def code() -> str:
  """Returns a short name of the processor: of its model and all it offers."""
  offers = sorted(map(str, _features()))
  what = (platform.machine(), model(), *offers, _cpuinfo('Features'))
  return hashlib.sha256(repr(what).encode()).hexdigest()[:12]


def num_cores() -> int:
  """Returns the number of cores that this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def instruction_set() -> str | None:
  """Returns the highest set of instructions that XLA may use on the CPU.

  One of SSE4_2, AVX, AVX2 and AVX512 on x86, as the processor and
  --xla_cpu_max_isa in XLA_FLAGS allow; NEON or SVE on ARM; None elsewhere, or
  where the processor does not say.
  """
  if platform.machine().lower() in ('arm64', 'aarch64'):
    return 'SVE' if 'sve' in _cpuinfo('Features').split() else 'NEON'
  features = _features()
  names = [name for name, *aliases in _SETS if features & set(aliases)]
  caps = _CAP.findall(os.environ.get('XLA_FLAGS', ''))
  if caps and names:
    known = [name for name, *_ in _SETS]
    # AVX512_VNNI, AMX and their like allow all of these.
    allowed = caps[-1].upper()
    if allowed in known:
      names = [n for n in names if known.index(n) <= known.index(allowed)]
  return names[-1] if names else None


def _features() -> set[str | int]:
  """Returns what an x86 processor offers, by the names of its system."""
  if sys.platform == 'darwin':
    queries = ('machdep.cpu.features', 'machdep.cpu.leaf7_features')
    return {
      word for name in queries for word in (_sysctl(name) or '').lower().split()
    }
  if sys.platform == 'win32':
    is_there = ctypes.windll.kernel32.IsProcessorFeaturePresent
    return {number for *_, number in _SETS if is_there(number)}
  return {*_cpuinfo('flags').split()}


def _cpuinfo(name: str) -> str:
  """Returns the first entry of that name in Linux's list, or ''."""
  try:
    text = pathlib.Path('/proc/cpuinfo').read_text('utf-8', 'replace')
  except OSError:
    return ''
  found = re.search(rf'^{name}\s*:\s*(.*)$', text, re.MULTILINE)
  return found.group(1).strip() if found else ''


def _sysctl(name: str) -> str | None:
  try:
    return subprocess.run(
      ['sysctl', '-n', name],
      capture_output=True,
      encoding='utf-8',
      check=True,
    ).stdout.strip()
  except (OSError, subprocess.CalledProcessError):
    return None
