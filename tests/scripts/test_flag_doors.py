"""No number, list or path that means nothing, or another thing, gets in."""

import pytest

from tests.scripts import flag_doors
from toyjax.studies import names

SCRIPTS = names()

# Flags that hold text, and so no number and no path.
TEXTS = {'start', 'end', 'group', 'focus', 'walk_words', 'tilt_outputs'}
TEXTS |= {'pairs', 'printed_losses', 'concentration', 'p1', 'p2'}

RATE = ('optimization_failure', 'sqrt_failure', 'text_failure', 'walk_sqrt',
        'walk_text', 'symmetric_failure', 'symmetric_escape',
        'failure_survival')  # fmt: skip

# Script, its flags, words of the line; '' where they are taken.
CASES = [
  *((s, '--seed=4294967296', '<= 4294967295') for s in RATE),
  *((s, '--seed=4294967295', '') for s in RATE),
  *((s, '--learning_rate=1e-50', '1e-50 is 0 in float32') for s in RATE),
  *((s, '--learning_rate=1e-40', '1e-40 is 0 in float32') for s in RATE),
  *((s, '--learning_rate=1e39', 'is infinite in float32') for s in RATE),
  *((s, '--learning_rate=1e-30', '') for s in RATE),
  *((s, '--adam_b1=0.99999999999', 'must be < 1: in float32') for s in RATE),
  *((s, '--adam_b2=1', 'must be < 1') for s in RATE),
  *((s, '--num_devices=2147483647', '<= 1024') for s in RATE),
  *((s, '--weight_decay=1e-60', 'is 0 in float32') for s in RATE),
  *((s, '--adam_eps=1e-46', 'is 0 in float32') for s in RATE),
  *(
    (s, '--learning_rate=0.1,0.10000000001', 'are one number in float32')
    for s in RATE
    if not s.startswith('walk') and s != 'symmetric_escape'
  ),
  *(
    (s, f'--dtype=float64 --{flag}', said)
    for s in RATE
    if s != 'failure_survival'
    for flag, said in (
      ('learning_rate=1e-50', ''),
      ('adam_b1=0.99999999999', ''),
      ('learning_rate=1e-310', '1e-310 is 0 in float64'),
      ('adam_b1=0.99999999999999999', 'must be < 1'),
    )
  ),
  ('optimization_failure', '--momentum=0.99999999', 'must be < 1: in float32'),
  ('optimization_failure', '--init_scale=1e-39', 'is 0 in float32'),
  ('optimization_failure', '--solved_sse=1e-50', 'is 0 in float32'),
  ('optimization_failure', '--solved_sse=0', ''),
  ('optimization_failure', '--num_features=5000', '<= 4096'),
  ('optimization_failure', '--num_seeds=2147483648', '<= 2147483647'),
  (
    'optimization_failure',
    '--dtype=float64 --learning_rate=0.1,0.10000000001',
    '',
  ),
  ('sqrt_failure', '--low=1 --high=1.00000000001', 'one number in float32'),
  ('sqrt_failure', '--low=1 --high=1.00000000001 --dtype=float64', ''),
  ('sqrt_failure', '--high=1e39', 'infinite in float32'),
  (
    'sqrt_failure',
    '--target=polynomial --coefficients=1,0,1e-50',
    'is 0 in float32',
  ),
  ('sqrt_failure', '--num_points=2147483647', '<= 1000000'),
  ('sqrt_failure', '--num_hidden_layers=2147483647', '<= 64'),
  ('text_failure', '--embed_dim=2147483648', '<= 65536'),
  ('text_failure', '--num_epochs=2147483648', '<= 2147483647'),
  ('text_failure', '--temperature=1e-50', 'is 0 in float32'),
  ('text_failure', '--printed_losses=0:inf', 'is not epoch:loss'),
  ('text_failure', '--printed_losses=1_0:1', 'is not epoch:loss'),
  ('text_failure', '--printed_losses=100:.5,0100:.6', 'listed twice'),
  ('text_failure', '--printed_losses=100:.5,0100:.5', 'twice'),
  ('walk_text', '--max_tokens=1000000', '<= 2000'),
  ('sqrt_failure', '--newton_iterations=1000000', '<= 1000'),
  ('descend_runaways', '--max_evaluations=2147483647', '<= 100000'),
  ('text_failure', '--batches=listed9999999999', 'is none of'),
  ('text_failure', '--pairs=s3://bucket/pairs.txt', 'is an address'),
  ('text_failure', '--pairs=six,~nobody-of-that-name/p', 'is no user'),
  ('walk_text', '--digits=2147483647', '<= 20'),
  ('failure_survival', '--near_factor=nan', 'must be finite'),
  ('failure_survival', '--optimizer=sgd@inf', 'the rate after @'),
  ('failure_survival', '--optimizer=sgd@nan', 'the rate after @'),
  ('failure_survival', '--optimizer=sgd@1e-50', 'the rate after @'),
  ('failure_survival', '--optimizer=sgd@1,sgd@1.0', 'twice'),
  ('failure_survival', '--optimizer=adamw,sgd@.1,sgd@.10000000001', 'are one'),
  ('failure_survival', '--optimizer=adamw,sgd,sgd@1e-3', 'are one in'),
  ('failure_survival', '--dtype=float64,float32 --momentum=0.99999999999',
   'in float32'),
  ('symmetric_escape', '--learning_rate=0', '0 must be > 0'),
  ('symmetric_escape', '--adam_eps=1e-8,1e-50', 'is 0 in float32'),
  ('symmetric_failure', '--kick=1e-50', ''),  # Descents are in float64.
  ('symmetric_failure', '--start_noise=1e-50', 'is 0 in float32'),
  ('chaos_map', '--learning_rate_range=2.1,2.1000000001', 'float32'),
  ('chaos_map', '--learning_rate_range=2.1,2.10001', 'too narrow'),
  (
    'chaos_map',
    '--learning_rate_range=2.1,2.10001 --dtype=float64 --zoom_levels=0',
    '',
  ),
  ('chaos_map', '--size=2147483648', '<= 46340'),
  ('changepoint_study', '--num_positions=2147483648', '<= 65536'),
  ('changepoint_study', '--mass=0.99999999999', 'must be < 1: in float32'),
  ('changepoint_study', '--p1=inf', 'must be finite'),
  ('changepoint_study', '--p1=0.7 --p2=0.69999999999', 'must be above'),
  ('changepoint_study', '--seed=4294967295', '<= 4294967294'),
  ('changepoint_replay', '--smallest_drop=0.99999999999', 'in float32'),
  ('changepoint_replay', '--smallest_drop=nan', 'must be finite'),
  ('locate_error', '--alpha=nan', 'must be finite'),
  ('locate_error', '--concentration=nan', 'must be finite'),
  ('locate_error', '--concentration=inf,none', 'twice'),
  ('replay_seed', '--num_frames=2147483648', '<= 10000'),
  ('failure_sizes', '--show_steps=1e3', 'is not an integer'),
]  # fmt: skip


@pytest.mark.parametrize('script', SCRIPTS)
def test_bad_flags_are_refused_by_a_line_that_names_them(script):
  own = [(flags, said) for name, flags, said in CASES if name == script]
  found = flag_doors.ask(script, [flags.split() for flags, _ in own])
  # Every number and every path goes through the checks.
  known = {'bool', 'string enum', *flag_doors.BAD}
  for name, kind in found.kinds.items():
    named = kind == 'comma-separated list'
    assert kind in known or named or name in TEXTS, (name, kind)
  for name, value, answer in found.bad:
    assert name in answer.split('\n')[0], (name, value[:40], answer[:200])
  for (flags, said), answer in zip(own, found.cases, strict=True):
    assert said in answer, (flags, answer)
    assert bool(said) == bool(answer), (flags, answer)
    if said:
      typed = [flag.split('=')[0].strip('-') for flag in flags.split()]
      assert any(name in answer for name in typed), (flags, answer)


def test_the_table_is_of_scripts_that_there_are():
  assert {script for script, _, _ in CASES} <= set(SCRIPTS)
