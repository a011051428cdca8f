"""How PyTorch runs in tests, where it is there."""

import pytest


@pytest.fixture
def one_thread():
  """PyTorch's threads wait for each other by spinning."""
  import torch

  before = torch.get_num_threads()
  torch.set_num_threads(1)
  yield
  torch.set_num_threads(before)
