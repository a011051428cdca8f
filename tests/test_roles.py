"""Outcomes with roles: what counts as solved, and how it is coloured."""

import json

import numpy as np
import pytest

from toyjax import roles
from toyjax.plots import palette
from toyjax.roles import Role
from toyjax.toys import relu_autoencoder, sqrt_mlp, text_mlp


class Ending(roles.Outcome):
  """Of a toy that nobody has seen; a code without a role is a failure."""

  DIVERGED = 0, Role.DIVERGED
  LOOPS = 1
  ARRIVES = 2, Role.SOLVED
  WAITS = 3, Role.UNDECIDED
  RESTS = 4, Role.SOLVED


def test_codes_are_integers_with_a_role():
  assert [int(code) for code in Ending] == list(range(5))
  assert Ending(2) is Ending.ARRIVES
  assert np.asarray([Ending.LOOPS]).dtype == np.int64
  assert json.dumps([Ending.WAITS]) == '[3]'
  assert Ending.LOOPS.role is Role.FAILED


def test_codes_of_a_role_are_found_in_any_shape():
  codes = np.asarray([[0, 2, 4], [1, 3, 2]])
  np.testing.assert_array_equal(
    roles.are(codes, Ending), [[False, True, True], [False, False, True]]
  )
  np.testing.assert_array_equal(
    roles.are(codes, Ending, Role.FAILED), codes == Ending.LOOPS
  )


@pytest.mark.parametrize(
  'outcomes', [relu_autoencoder.Outcome, sqrt_mlp.Outcome, text_mlp.Outcome]
)
def test_every_toy_has_roles_whose_colours_are_the_house_s(outcomes):
  styles = dict(zip(outcomes, palette.styles_of(outcomes)))
  assert len(set(styles.values())) == len(outcomes)
  colors = {
    role: {styles[code].color for code in outcomes if code.role is role}
    for role in Role
  }
  assert colors[Role.DIVERGED] == {palette.BLACK}
  assert palette.BLUE in colors[Role.SOLVED]
  assert palette.VERMILION in colors[Role.FAILED]
  assert not colors[Role.SOLVED] & colors[Role.FAILED] - {palette.GREEN}


def test_more_outcomes_than_styles_are_still_told_apart():
  many = roles.Outcome(
    'Many', [(f'KIND_{i}', (i, Role.FAILED)) for i in range(21)]
  )
  styles = palette.styles_of(many)
  assert len(set(styles)) == 21
  # A few keep theirs whatever else there is.
  assert styles[:2] == palette.styles_of(list(many)[:2])
