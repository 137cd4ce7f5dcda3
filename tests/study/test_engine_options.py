"""Engines by name: what they share out, and options that do not exist."""

import pkgutil

import pytest

from gan_jax import select
from gan_jax.components import options as options_lib
from gan_jax.study import engines
from gan_jax.study.engines import processes
from gan_jax.types import UserError


def test_every_engine_makes_an_engine():
  names = [m.name for m in pkgutil.iter_modules(engines.__path__)]
  assert names == ['local', 'processes', 'ray', 'slurm']
  for name in names:
    if name not in ('ray', 'slurm'):
      made = select.module('study.engines', name, flag='--engine').make()
      assert made.workers >= 1 and callable(made.run)


def test_cores_are_shared_out():
  share = lambda n, workers: [
    processes._share(list(range(n)), k, workers) for k in range(workers)
  ]
  assert share(4, 2) == [[0, 1], [2, 3]]
  assert share(5, 2) == [[0, 1], [2, 3, 4]]
  assert share(2, 3) == [[0], [1], [0]]


def test_gpus_are_dealt_out(monkeypatch):
  monkeypatch.setattr(processes, '_gpus', lambda: ['3', '5'])
  given = [processes._env(k)['CUDA_VISIBLE_DEVICES'] for k in range(3)]
  assert given == ['3', '5', '3']


@pytest.mark.parametrize(
  'options, words',
  [
    ({}, 'srun'),
    ({'cluster': 'local', 'colour': 'red'}, 'colour'),
    ({'cluster': 'local', 'timeout_min': 0.5}, 'timeout_min'),
    ({'cluster': 'nowhere'}, 'nowhere'),
  ],
)
def test_slurm_that_is_not_there_or_not_so(options, words):
  pytest.importorskip('submitit')
  with pytest.raises(UserError, match=words):
    options_lib.call('--options', select.module(
      'study.engines', 'slurm', flag='--engine'
    ).make, options, workers=1)  # fmt: skip
