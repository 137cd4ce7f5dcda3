"""A third player, brought by a model: trained, saved, resumed, repeated."""

import jax
import numpy as np
import pytest

from gan_jax.run import command, loop, training
from gan_jax.run import setup as setup_lib
from gan_jax.run.recovery import dumps, replay
from gan_jax.storage import files
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import UserError
from tests import tiny

MODEL = {'name': 'tests.encoder_model', 'g': {}, 'd': {}}


def recipe(**overrides):
  config = command.load_config('configs/ring8.py:tiny')
  config |= {'model': MODEL, 'penalties': {'r1': {'gamma': 0.1}}}
  # An encoder learns from what D says of real pairs: G's loss has to see it.
  config |= {'loss': {'name': 'rpgan'}}
  # Adam would make much of rounding.
  optim = {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.5}
  config |= {'optim': {'g': optim, 'd': optim}}
  config |= {'report_every': 2, 'save_every': 2, 'eval_every': 0}
  return config | {'health_every': 1} | overrides


def last_state(workdir, config):
  like = jax.eval_shape(setup_lib.build(config).init)
  with Checkpoints(workdir / 'checkpoints', read_only=True) as checkpoints:
    return checkpoints.restore(like)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('whole')
  training.train(recipe(steps=4), workdir)
  return workdir


def test_it_moves_and_is_averaged_like_the_others(run):
  config = recipe(steps=4)
  before, after = setup_lib.build(config).init(), last_state(run, config).state
  assert set(after.players) == {'d', 'e', 'g'} and set(after.ema) == {'e', 'g'}
  for name, player in after.players.items():
    moved = tiny.distance(player.params, before.players[name].params)
    assert moved > 1e-4, name
  e = after.players['e']
  assert 'batch_stats' in e.vars and jax.tree.leaves(e.opt)
  assert tiny.distance(after.ema['e']['params'], e.params) > 0


def test_stopped_and_resumed_it_ends_with_the_same_bits(run, tmp_path):
  training.train(recipe(steps=2), tmp_path)
  training.train(recipe(steps=4), tmp_path)
  whole, parts = (last_state(w, recipe()) for w in (run, tmp_path))
  assert whole.step == parts.step == 4
  assert tiny.distance(whole.state, parts.state) == 0


def test_its_game_is_probed_and_its_loss_is_gs(run):
  rows = files.read_rows(run / 'metrics.jsonl')
  row = next(row for row in rows if row['step'] == 4)
  assert 0 <= row['health_separation'] <= 1 and row['health_nonfinite'] == 0
  assert 'g_loss' in row and 'e_loss' not in row


def test_options_of_its_own():
  usual = setup_lib.build(recipe())
  model = {**MODEL, 'e': {'hidden': 5, 'slope': 0.5}}
  optim = recipe()['optim'] | {'e': {'learning_rate': 0.125}}
  own = setup_lib.build(recipe(model=model, optim=optim))
  shape = lambda setup: jax.eval_shape(setup.init).players['e'].params
  assert shape(usual)['Dense_0']['kernel'].shape == (1, 2, 6)
  assert shape(own)['Dense_0']['kernel'].shape == (1, 2, 5)
  # What optim.e does not say is as in optim.g.
  numbers = own.numbers['optim']
  assert numbers['e'] == numbers['g'] | {'learning_rate': np.float32(0.125)}
  assert own.numbers['model']['e'] == {'slope': np.float32(0.5)}


@pytest.mark.parametrize('group', ['optim', 'model'])
def test_a_player_that_there_is_not_is_refused_by_name(group):
  config = command.load_config('configs/ring8.py:tiny')
  config[group] = config[group] | {'e': {}}
  with pytest.raises(UserError, match=rf'^{group}\.e: .*mlp.*has g, d\.$'):
    setup_lib.build(config)


def test_a_step_that_broke_is_repeated_with_it_in_sight(tmp_path):
  fatal = {'tests.diverging': {'at': 3}}
  config = recipe(penalties=fatal, steps=4, health_every=0)
  with pytest.raises(loop.Diverged):
    training.train(config, tmp_path)
  document, _ = dumps.newest(tmp_path)
  assert document['step'] == 3
  assert any(name.startswith('e/params/') for name in document['norms'])
  lines = []
  assert replay.replay(tmp_path, say=lines.append)
  assert any(line.startswith('E, all weights') for line in lines)


@pytest.mark.parametrize('wrapper, devices', [('jit', 1), ('shard_map', 4)])
def test_any_number_of_devices_trains_the_same(wrapper, devices, run):
  """As eight do by pmap: batch statistics are those of the global batch."""
  setup = setup_lib.build(recipe(health_every=0))
  program = setup_lib.make_program(
    setup, wrapper=wrapper, devices=jax.devices()[:devices]
  )
  data = setup_lib.make_data(setup, program, step=0)
  state, total = program.put(setup.init()), program.put(program.zeros)
  state, _ = program.advance(state, total, data(0), 4)
  end = jax.tree.map(np.array, program.get(state))
  assert tiny.distance(last_state(run, recipe()).state, end) < 1e-6
