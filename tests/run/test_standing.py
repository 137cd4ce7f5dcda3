"""Batch norms of G by statistics over many batches of the very same G."""

import functools
import json
import shutil

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import evaluate, sample
from gan_jax.game import keys, latents, networks
from gan_jax.run import command, sampling, standing, training
from gan_jax.run import labels as labels_lib
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests import shared
from tests.bad_input import ROOT

RECIPE = f'{ROOT}/configs/digits.py:tiny'


def build(**changes):
  return setup_lib.build(command.load_config(RECIPE, changes))


@functools.cache
def begun(conditional=False):
  """(setup, averages of its first seed)."""
  setup = build(conditional=conditional)
  return setup, sampling.take_seed(setup.init().ema, 0)


def seen(net, variables, z, label):
  """{path of a batch norm: what it is given} in one pass in training mode."""

  @jax.jit
  def run(variables, z, label):
    given = {}

    def look(method, args, kw, context):
      if isinstance(context.module, nn.BatchNorm):
        given['/'.join(context.module.path)] = args[0]
      return method(*args, **kw)

    with nn.intercept_methods(look):
      inputs = {'train': True, 'mutable': ['batch_stats', 'spectral']}
      networks.apply(net, variables, z, label, **inputs)
    return given

  given = jax.device_get(run(variables, z, label))
  return {k: np.float64(x) for k, x in given.items()}


@pytest.mark.parametrize(
  'conditional', [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_they_are_means_over_batches_of_what_norms_are_given(
  conditional, monkeypatch
):
  monkeypatch.setattr(standing, 'BATCH', 16)
  setup, averages = begun(conditional)
  before = jax.tree.map(np.array, averages)
  key, game = jax.random.key(3), setup.rules().game
  settled = standing.settled(setup, averages, key, 3, 'balanced')
  own = keys.stream(key, keys.STANDING)
  each = []
  tree = {'params': averages['g']['params'], **averages['g']['vars']}
  for i in range(3):
    index = np.arange(16 * i, 16 * (i + 1))
    label = index % 10 if conditional else None
    z = sampling.latents(game.prior, own, index)
    each.append(seen(game.nets['g'], tree, z, label))
  assert each[0]
  for path, x in each[0].items():
    found = settled['g']['vars']['batch_stats']
    for name in path.split('/'):
      found = found[name]
    axes = tuple(range(x.ndim - 1))
    for leaf, of in (('mean', np.mean), ('var', np.var)):
      want = np.mean([of(one[path], axes) for one in each], 0)
      np.testing.assert_allclose(found[leaf], want, 1e-4, 1e-5)
  jax.tree.map(np.testing.assert_array_equal, averages, before)
  same = settled['g']['params'], before['g']['params']
  jax.tree.map(np.testing.assert_array_equal, *same)


class Slow(nn.Module):
  """A norm whose averages move by a half, and one that moves little."""

  @nn.compact
  def __call__(self, z, label=None, *, train):
    del label
    for momentum in (0.5, 0.99):
      z = 3 + nn.BatchNorm(not train, momentum=momentum)(nn.Dense(2)(z))
    return z


def test_the_speed_of_a_norms_averages_does_not_matter():
  net, prior = Slow(), latents.make_prior(dim=3)
  index = np.arange(50)
  z = sampling.latents(prior, jax.random.key(1), index)
  variables = net.init(jax.random.key(0), z, train=False)
  own = {'batch_stats': variables['batch_stats']}
  statistics = sampling.make_statistics(net, prior=prior)
  tree = {'params': variables['params'], 'vars': own}
  found = jax.jit(statistics)(tree, jax.random.key(1), index)
  given = seen(net, variables, z, None)
  for name, x in given.items():
    np.testing.assert_allclose(found[name]['mean'], x.mean(0), 1e-4, 1e-5)
    np.testing.assert_allclose(found[name]['var'], x.var(0), 1e-4, 1e-5)


def test_none_changes_nothing_and_more_come_nearer():
  setup, averages = begun()
  assert standing.settled(setup, averages, None, 0, '') is averages
  of = lambda seed, n: standing.settled(
    setup, averages, jax.random.key(seed), n, 'data'
  )['g']['vars']['batch_stats']
  spread = {}
  for n in (1, 9):
    pair = [jnp.concatenate(jax.tree.leaves(of(s, n))) for s in (1, 2)]
    spread[n] = np.abs(pair[0] - pair[1]).mean()
  assert 0 < spread[9] < 0.7 * spread[1]


def test_where_there_is_no_batch_norm_they_are_refused():
  setup = build(model={'name': 'dcgan', 'g': {'norm': 'none'}, 'd': {}})
  standing.check(setup, 0)
  with pytest.raises(UserError, match='standing_stats=4: .* no batch norm'):
    standing.check(setup, 4)
  with pytest.raises(UserError, match='standing_stats=-1: expected at least 0'):
    standing.check(setup, -1)
  config = command.load_config(RECIPE, {'standing_stats': 2})
  config['model']['g']['norm'] = 'none'
  with pytest.raises(UserError, match='standing_stats=2: .* no batch norm'):
    training._resolve(config)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A copy of a tiny run of digits."""
  changes = {'eval_every': 4, 'eval_samples': 120}
  config = command.load_config(RECIPE, changes)
  trained = shared.folder('digits', lambda path: training.train(config, path))
  copy = tmp_path_factory.mktemp('runs') / 'run'
  shutil.copytree(trained, copy)
  return copy


def test_scores_by_them_are_of_another_protocol(run):
  before = json.loads((run / 'scores.json').read_text())
  files = [p for p in run.rglob('checkpoints/**/*') if p.is_file()]
  held = [p.read_bytes() for p in files]
  flags = ['--standing_stats=2', '--metrics=fid', '--features=pixels']
  evaluate.main(['', f'--workdir={run}', *flags])
  evaluate.main(['', f'--workdir={run}', *flags[1:]])
  after = json.loads((run / 'scores.json').read_text())
  by, usual = after[len(before) :]
  assert by['batch_norm'] == 'standing, 2 x 256 samples'
  assert usual['batch_norm'] == 'running' and by['value'] != usual['value']
  assert after[: len(before)] == before
  assert files and held == [p.read_bytes() for p in files]


def test_the_samples_of_a_run_by_them(run, tmp_path):
  own = {}
  for n in (0, 3):
    out = tmp_path / f'{n}.npz'
    flags = [f'--out={out}', '--num=4', f'--standing_stats={n}']
    sample.main(['', f'--workdir={run}', *flags])
    own[n] = np.load(out)['samples']
  assert np.abs(own[0] - own[3]).max() > 1e-3
  _, setup, state, _ = contents.open_run(run)
  ema = standing.settled_seeds(setup, state.ema, 3, labels_lib.DATA)
  key = keys.stream(jax.random.key(0), keys.SAMPLE)
  args = sampling.take_seed(ema, 0), key, 4
  np.testing.assert_allclose(
    own[3], sampling.collect(setup.sample, *args), 1e-5
  )
