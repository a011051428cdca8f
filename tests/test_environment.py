"""The tests run with what they were told to run with."""

import os

import jax

from tests import compiler


def test_there_are_as_many_devices_as_asked_for():
  assert jax.local_device_count() == int(
    os.environ.get('TOYJAX_TEST_DEVICES', '2')
  )


def test_flags_of_the_compiler_reach_processes_of_their_own():
  asked = os.environ.get('XLA_FLAGS', '').split()
  assert compiler.ENVIRONMENT['XLA_FLAGS'].split()[: len(asked)] == asked
