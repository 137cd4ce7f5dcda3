"""Augmentations in a game: chains, schedules, pairs, what replaces reals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.components import options as options_lib
from gan_jax.game import augmenting, beginning, forward, keys, rules, step
from gan_jax.run import command
from gan_jax.types import UserError
from tests import tiny
from tests.game import test_step_extras as lines

REAL, KEY, BATCH = lines.REAL, lines.KEY, lines.BATCH
NOISE = {'name': 'instance_noise', 'sigma': 1.0}
APA = {'name': 'apa', 'p': 1.0, 'adaptive': False}


def game_of(options, **kw):
  """A game in which D's logits are what it is shown."""
  made = augmenting.make(augmenting.complete(options))
  game = lines.rules(augment=made, **kw)
  return game._replace(terms=augmenting.with_measures(game.terms, made))


def seen_of(options, at=0, **kw):
  game = game_of(options, **kw)
  batch = BATCH | {'step': jnp.int32(at)}
  return forward.forward(game, lines.start(game), batch, KEY)[0]


def added(seen):
  """What is added to reals and to fakes, [B] each."""
  return (
    seen.on_real['logits'] - seen.real[:, 0],
    seen.on_fake['logits'] - seen.fake[:, 0],
  )


# Pairs


def test_reals_and_fakes_draw_apart_unless_they_are_synced():
  on_real, on_fake = added(seen_of(NOISE))
  assert np.abs(on_real - on_fake).min() > 0.01
  of_pairs, again = added(seen_of({**NOISE, 'synced': True}))
  np.testing.assert_allclose(of_pairs, again, atol=1e-5)
  np.testing.assert_allclose(of_pairs, on_real, atol=1e-5)


# One after another


def test_the_next_one_draws_by_itself_and_leaves_the_first_s_draws():
  first, _ = added(seen_of(NOISE))
  both, _ = added(seen_of({**NOISE, 'then': NOISE}))
  rest = both - first
  assert np.abs(rest - first).min() > 0.01  # not the same again
  three, _ = added(seen_of({**NOISE, 'then': {**NOISE, 'then': NOISE}}))
  last = three - both
  assert np.abs(last - rest).max() > 0.1 and np.abs(last - first).max() > 0.1


def test_they_are_shown_in_their_order_and_learn_each_by_itself():
  made = augmenting.chained(
    forward.Augmentation(
      apply=lambda x, memo, *, key: x + memo,
      update=lambda memo, logits: memo + logits.sum(),
      init=lambda: jnp.float32(1),
      measured=lambda memo: {'p': memo},
    ),
    forward.Augmentation(
      apply=lambda x, memo, *, key: 10 * x * memo,
      update=lambda memo, logits: memo - 1,
      init=lambda: jnp.float32(2),
      measured=lambda memo: {'p': 2 * memo},
    ),
  )
  memo = made.init()
  shown = made.apply(jnp.ones(3), memo, key=keys.example_keys(KEY, 3))
  np.testing.assert_allclose(shown, 40)
  after = made.update(memo, jnp.ones(5))
  assert jax.tree.map(float, after) == {'own': 6.0, 'then': 1.0}
  assert made.measured(memo) == {'p': 1, 'then_p': 4}


def test_all_floats_of_a_chain_are_data():
  options = {
    'name': 'apa', 'kimg': 5, 'synced': True,
    'then': {'name': 'ada', 'hue': 1, 'then': {'name': 'instance_noise'}},
  }  # fmt: skip
  full = augmenting.complete(options)
  structure, numbers = options_lib.split(full)
  assert numbers['kimg'] == 5 and numbers['then']['hue'] == 1
  assert numbers['then']['then'] == {'sigma': np.float32(0.1)}
  assert structure['synced'] is True and structure['then']['name'] == 'ada'

  @jax.jit
  def run(numbers):
    made = augmenting.make(options_lib.merge(structure, numbers))
    return made.init(), made.synced

  memo, synced = run(numbers)
  assert synced and set(memo) == {'own', 'then'} == set(memo['then'])
  assert memo['then']['then'] == ()


# Schedules


LINE = {
  'name': 'linear_schedule',
  'init_value': 2.0,
  'end_value': 0.0,
  'transition_steps': 10,
}


@pytest.mark.parametrize('at, factor', [(0, 2.0), (5, 1.0), (20, 0.0)])
def test_a_number_may_follow_the_steps(at, factor):
  one, _ = added(seen_of(NOISE))
  plain = {'name': 'flip', 'then': {**NOISE, 'sigma': LINE}}
  now, _ = added(seen_of({**NOISE, 'sigma': LINE}, at))
  np.testing.assert_allclose(now, factor * one, atol=1e-5)
  with pytest.raises(UserError, match='augment.name=flip: expected images'):
    seen_of(plain, at)


def test_a_number_of_the_next_one_may_follow_the_steps():
  falling = LINE | {'init_value': 1.0}
  options = {**NOISE, 'then': {**APA, 'p': falling}}
  full = augmenting.complete(options)
  numbers = options_lib.split(full)[1]
  assert numbers['then']['p']['init_value'] == 1.0
  seen = seen_of(options)
  np.testing.assert_allclose(seen.real, seen.fake)
  np.testing.assert_allclose(seen_of(options, 10).real, REAL)


# What stands in the place of reals


def test_reals_are_replaced_by_the_fakes_of_this_step_without_gradient():
  seen = seen_of(APA)
  np.testing.assert_allclose(seen.real, seen.fake)
  np.testing.assert_allclose(seen.on_real['logits'], seen.on_fake['logits'])
  game = game_of(APA, loss='rpgan')
  state = lines.start(game)

  def shown(params):
    moving = step.with_params(state, {'g': params})
    seen, _ = forward.forward(game, moving, BATCH, KEY)
    return seen.on_real['logits'].sum(), seen.on_fake['logits'].sum()

  slopes = jax.jacobian(shown)(state.players['g'].params)
  assert float(slopes[0]['w'][0]) == 0 != float(slopes[1]['w'][0])


def test_replacements_come_before_everything_else_that_is_shown():
  seen = seen_of({**NOISE, 'synced': True, 'then': APA})
  np.testing.assert_allclose(
    seen.on_real['logits'], seen.on_fake['logits'], atol=1e-5
  )
  assert np.abs(added(seen)[0]).min() > 0.01


# What a critic sees


def test_a_critic_sees_whole_images():
  """CutMix moves what D sees, and nothing that a penalty looks at."""
  options = {'name': 'cutmix', 'p': 1.0, 'then': {'name': 'flip', 'p': 1.0}}
  made = augmenting.make(augmenting.complete(options))
  x = jnp.arange(4 * 5 * 6.0).reshape(4, 5, 6, 1)
  own = keys.example_keys(KEY, 4)
  memo = made.init()
  shown = made.apply(x, memo, key=own)
  np.testing.assert_array_equal(made.alone(x, memo, key=own), x[:, :, ::-1])
  assert (shown != x[:, :, ::-1]).any()
  game = tiny.rules(
    augment=forward.Augmentation(
      apply=lambda x, memo, *, key: 0 * x, alone=lambda x, memo, *, key: 3 * x
    ),
    g=lines.Line,
    d=lambda: lines.Line(judge=True),
    prior=lines.rules().prior,
  )
  seen, _ = forward.forward(game, lines.start(game), BATCH, KEY)
  np.testing.assert_allclose(seen.on_real['logits'], 0)
  np.testing.assert_allclose(seen.critic(seen.real)['logits'], 3 * REAL[:, 0])


# Metrics and memos


def config_of(augment, **changed):
  """A config of ring8 with this augmentation."""
  changed = {'augment': augment} | changed
  return command.load_config('configs/ring8.py:tiny', changed)


def test_p_is_among_the_metrics_of_a_step():
  options = {
    **APA,
    'p': 0.25,
    'adaptive': True,
    'then': {'name': 'diffusion_noise', 'p': 0.5},
  }
  given = rules.Given((2,), 0, jnp.float32, batch_size=8)
  made = rules.make(rules.complete(config_of(options)), given)
  names = step.metric_names(made.game.terms)
  assert {'augment_p', 'augment_then_p', 'd_loss', 'g_loss'} <= set(names)
  one = {'x': jnp.ones((1, 2)), 'index': jnp.arange(1)}
  batch = {'x': jnp.ones((1, 8, 2)), 'index': jnp.arange(8), 'step': 0}

  @jax.jit
  def run():
    state = beginning.init(made.game, KEY, one)
    return made.step(state, batch, KEY)

  state, metrics = run()
  assert float(metrics['augment_p']) == 0.25
  assert float(metrics['augment_then_p']) == 0.5
  assert float(state.memo['augment']['own']['samples']) == 8
  assert set(metrics) == set(names)


@pytest.mark.parametrize('parts', [1, 2, 4])
def test_the_controller_sees_the_batch_as_a_whole(parts):
  """Four moves of D: p is that of one batch, however it is cut."""
  options = {'name': 'apa', 'kimg': 0.05, 'target': 0.4, 'p': 0.5}
  game = game_of(options, microbatches=parts)
  state = lines.start(game)
  grad = jax.jit(step.gradient(game, ('d',)))
  for at in range(5):
    _, change = grad(state, BATCH | {'step': jnp.int32(at)}, KEY)
    state = state._replace(memo={**state.memo, **change.memo})
  memo = state.memo['augment']
  # Reals and fakes in their place: sign of the logits' mean, four moves.
  seen, _ = forward.forward(game_of(options), lines.start(game), BATCH, KEY)
  way = np.sign(np.sign(seen.on_real['logits']).mean() - 0.4)
  assert float(memo['p']) == pytest.approx(0.5 + way * 16 / 50)
  assert float(memo['samples']) == 4 and int(memo['moves']) == 1


def test_lazy_terms_are_no_move_of_the_controller():
  options = {'name': 'apa', 'p': 0.5}
  game = game_of(options, penalties={'r1': {'every': 2}})
  state, _ = jax.jit(step.move(game, ('d',)))(
    lines.start(game), BATCH | {'step': jnp.int32(0)}, KEY
  )
  assert int(state.memo['augment']['moves']) == 1
