"""Which instructions XLA may compile for."""

import pytest

from toyjax import processors


@pytest.fixture
def offers(monkeypatch):
  """Makes the processor one of x86 with the given features."""

  def pretend(*features, cap=None):
    monkeypatch.setattr(processors.platform, 'machine', lambda: 'x86_64')
    monkeypatch.setattr(processors, '_features', lambda: set(features))
    flags = '' if cap is None else f'--a=b --xla_cpu_max_isa={cap}'
    monkeypatch.setenv('XLA_FLAGS', flags)

  return pretend


@pytest.mark.parametrize(
  ('features', 'cap', 'expected'),
  [
    (('sse4_2', 'avx', 'avx2', 'avx512f'), None, 'AVX512'),
    (('sse4_2', 'avx', 'avx2'), None, 'AVX2'),
    (('sse4.2', 'avx1.0'), None, 'AVX'),
    ((38, 39, 40), None, 'AVX2'),
    (('sse4_2', 'avx', 'avx2'), 'SSE4_2', 'SSE4_2'),
    (('sse4_2', 'avx', 'avx2'), 'AVX512', 'AVX2'),
    (('sse4_2', 'avx', 'avx2', 'avx512f'), 'AMX', 'AVX512'),
    ((), None, None),
  ],
)
def test_the_highest_that_processor_and_flag_allow(
  offers, features, cap, expected
):
  offers(*features, cap=cap)
  assert processors.instruction_set() == expected


def test_arm_has_its_own(monkeypatch):
  monkeypatch.setattr(processors.platform, 'machine', lambda: 'aarch64')
  monkeypatch.setattr(processors, '_cpuinfo', lambda name: 'fp asimd sve')
  assert processors.instruction_set() == 'SVE'
  monkeypatch.setattr(processors, '_cpuinfo', lambda name: '')
  assert processors.instruction_set() == 'NEON'
