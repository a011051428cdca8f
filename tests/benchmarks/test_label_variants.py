"""The environment in which each variant of label_flips runs."""

import pytest

from benchmarks import label_variants
from benchmarks.label_variants import VARIANTS


@pytest.mark.parametrize(
  ('name', 'isa'), [('avx2', 'AVX2'), ('avx', 'AVX'), ('sse4_2', 'SSE4_2')]
)
@pytest.mark.parametrize(
  'given', ['', '--xla_flag_of_mine=1', '--xla_cpu_max_isa=AVX512 --other=2']
)
def test_an_instruction_set_is_asked_for_last(name, isa, given):
  before = {'XLA_FLAGS': given, 'HOME': '/home'}
  found = label_variants.environment(VARIANTS[name], before)
  *kept, last = found['XLA_FLAGS'].split()
  assert last == f'--xla_cpu_max_isa={isa}'  # XLA takes the last of several.
  assert kept == given.split()
  assert found['HOME'] == '/home'
  assert before['XLA_FLAGS'] == given


def test_other_variants_leave_the_environment_alone():
  plain = [v for v in VARIANTS.values() if not v.max_isa]
  assert len(plain) == len(VARIANTS) - 3
  for variant in plain:
    assert label_variants.environment(variant, {'A': 'b'}) == {'A': 'b'}
