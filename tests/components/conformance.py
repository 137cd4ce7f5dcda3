"""What every component has to do, by kind: functions of its module.

They need no reference and no figures, so that a new file in its folder is
checked as it stands; what ships with the package is also compared with papers
(test_losses.py, test_penalties.py, test_models.py).
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.components import files
from gan_jax.game import beginning, forward, keys, rules, step
from gan_jax.run import command, label_use, rehearsal
from tests.components import conformance_changes, conformance_data
from tests.components.conformance_losses import B, loss, options_of
from tests.components.shipped import SMALL, THIN

# Of samples that a component may suit.
SHAPES = (2,), (8, 2), (8, 8, 1), (256, 1), (32, 32, 3)
KEY = jax.random.key(0)
ENCODING = {'name': 'vae_gan', **THIN['vae_gan']}
EMBEDDING = {'name': 'timegan', **THIN['timegan']}
# Of penalties that look at codes, styles or features, a model that has some; of
# one that wants a latent like a sample, such a latent.
HINGED = {'num_classes': 3, 'loss': {'name': 'hinge'}}
FEATURES = {**HINGED, 'conditioning': {'name': 'multi_hinge'}}
BESIDE = {
  'feature_matching': FEATURES,
  'kl': {'model': ENCODING},
  'optimal_transport': {'latent': {'dim': 2}},
  'path_length': {'model': {'name': 'stylegan2', **SMALL['stylegan2']}},
  'pull_away': FEATURES,
  'reconstruction': {'model': ENCODING},
  'supervised': {'model': EMBEDDING},
}


# ------------------------------------------------------------ parts of a game


def game_of(shape, num_classes=0, **changed):
  """(Rules, state, batch) of a small game with these options."""
  small = {'name': 'mlp', 'g': {'hidden': (4,)}, 'd': {'hidden': (4,)}}
  small['d'] |= {'activation': 'tanh'}
  config = command.load_config('ring8:tiny', {'penalties': {}, 'model': small})
  config |= changed
  given = rules.Given(shape, num_classes, jnp.float32, batch_size=B)
  options = rules.complete(config)
  made = rules.make(options, given)
  rng = np.random.default_rng(0)
  x = jnp.array(np.tanh(rng.normal(size=(B, *shape))), jnp.float32)
  batch = {'x': x, 'index': jnp.arange(B), 'step': jnp.int32(0)}
  if num_classes:
    batch['label'] = jnp.arange(B) % num_classes
  batch['frozen'] = rules.frozen(options)
  one = {k: v[:1] if k in ('x', 'label') else v for k, v in batch.items()}
  init = lambda key: beginning.init(made.game, key, one)
  state = drawn(jax.eval_shape(init, KEY))
  memo = {
    step.memo_name(player, name): term.init()
    for player, terms in made.game.terms.items()
    for name, term in terms.items()
  }
  if forward.AUGMENT in state.memo:
    memo[forward.AUGMENT] = made.game.augment.init()
  if made.game.remember:
    memo[forward.DYNAMICS] = made.game.remember(made.game, state)
  state = state._replace(memo=memo)
  with rehearsal.blamed({'penalties': {}, **_NO_FILES}):  # shapes, as in a run
    run = functools.partial(rehearsal._pass, lambda numbers: made, B)
    jax.eval_shape(run, state, batch, KEY, {})
  return made, state, batch


_NO_FILES = {group: {} for group in rehearsal.ROOMS}


POSITIVE = 'magnitude', "['var']"  # what is a size or a variance


def drawn(shapes):
  """Numbers of these shapes: to initialise is a program of its own."""
  rng = np.random.default_rng(0)

  def draw(path, like):
    if jnp.issubdtype(like.dtype, jnp.inexact):
      x = np.abs(rng.normal(size=like.shape)) / 3 + 0.1
      name = jax.tree_util.keystr(path)
      signs = [1] if any(word in name for word in POSITIVE) else [-1, 1]
      return jnp.array(x * rng.choice(signs, like.shape), like.dtype)
    return jnp.zeros(like.shape, like.dtype)

  return jax.tree_util.tree_map_with_path(draw, shapes)


def suited(make, *args, **kw):
  """What `make` gives for the first shape of sample that it can do with."""
  for shape in SHAPES[:-1]:
    try:
      return make(shape, *args, **kw)
    except Exception:  # noqa: S112
      continue
  return make(SHAPES[-1], *args, **kw)


def look(made, state, batch):
  """Values of all terms and their slopes are finite."""

  def total(params, who):
    moving = step.with_params(state, params)
    seen, _ = forward.forward(made.game, moving, batch, KEY)
    each = keys.fold_examples(KEY, batch['index'])
    return [
      term.value(seen, state.memo[step.memo_name(player, name)], key=each)[0]
      for player in who
      for name, term in made.game.terms.get(player, {}).items()
    ]

  def slopes(state, who):
    params = step.params_of(state, who)
    mean = lambda params: sum(map(jnp.mean, total(params, who)))
    return total(params, who), jax.grad(mean)(params)

  others = [player for player in made.game.nets if player != 'd']
  every = lambda state: [slopes(state, who) for who in (['d'], others)]
  found = jax.jit(every)(state)
  for x in jax.tree.leaves(found):
    assert np.isfinite(x).all()


def penalty(module, name):
  """Values [B], finite slopes; an example's own, if it is D's slope."""
  own = BESIDE.get(name, {})
  made, state, batch = suited(game_of, penalties={name: {}}, **own)
  kind = made.penalties[name]
  options_of(*files.functions_of(module))
  look(made, state, batch)
  for change in kind.changes.values():
    conformance_changes.change(change, kind.init(), module)
  if kind.project:
    params = state.players['d'].params
    jax.tree.map(_same_kind, kind.project(params), params)
  if kind.penalty and not getattr(module, 'WHOLE_BATCH', False):
    critic = lambda x: jnp.tanh(x.reshape(len(x), -1)).sum(1)
    x, each = batch['x'], keys.fold_examples(KEY, batch['index'])
    run = lambda s: kind.penalty(critic, x[s], -x[s], kind.init(), key=each[s])[
      0
    ]
    whole = run(slice(None))
    np.testing.assert_allclose(whole[:2], run(slice(0, 2)), 1e-5, 1e-6)


def _same_kind(one, other):
  assert (one.shape, one.dtype) == (other.shape, other.dtype)


def augment(module, name):
  """Keeps shapes, is differentiable, each example by its own key."""
  options_of(*files.functions_of(module))
  made, state, batch = suited(game_of, augment={'name': name})
  look(made, state, batch)
  memo = state.memo[forward.AUGMENT]
  each = keys.fold_examples(KEY, batch['index'])
  run = lambda x, each: made.game.augment.apply(x, memo, key=each)
  x = batch['x']
  if not getattr(module, 'WHOLE_BATCH', False):
    part = run(x[:2], each[:2])
    np.testing.assert_allclose(run(x, each)[:2], part, 1e-5, 1e-5)
  assert np.abs(jax.grad(lambda x: run(x, each).sum())(x)).max() > 0


def dynamics(module, name):
  """A state to one like it, a step later; all that is measured has a name."""
  options_of(module.make)
  made, state, batch = game_of((2,), dynamics={'name': name})
  many = {k: v if k in step.SHARED else v[None] for k, v in batch.items()}
  after, measured = jax.eval_shape(made.step, state, many, KEY)
  jax.tree.map(_same_kind, after, state)
  assert set(measured) == set(step.metric_names(made.game.terms))
  after, _ = jax.jit(made.step)(state, many, KEY)
  assert after.step == 1
  differ = lambda a, b: (a != b).any()
  for player in state.players:
    moved = after.players[player].params, state.players[player].params
    assert any(jax.tree.leaves(jax.tree.map(differ, *moved)))


def conditioning(module, name):
  """Logits [B] that depend on the label, by the head or by its terms."""
  own = {'conditioning': {'name': name}}
  if loss := getattr(module, 'IN_PLACE_OF', ''):
    own['loss'] = {'name': loss}
  if name == 'infogan':  # of codes in the latent
    own['latent'] = {'categories': (10,), 'continuous': 2}
  made, state, batch = suited(game_of, 3, **own)
  look(made, state, batch)
  label_use.check(lambda numbers: made, state, batch, KEY, {})


def model(module, name):
  """Samples in the data's shape, logits [B], each example by itself."""
  small = (SMALL | THIN).get(name, {})
  own = {p: small.get(p, {}) for p in files.players_of(module)}
  own['name'] = name
  made, state, batch = suited(game_of, model=own)
  look(made, state, batch)
  for leaf in jax.tree.leaves(state.players):
    assert leaf.dtype != jnp.bfloat16
  networks = forward.Networks(made.game, state)
  latent = jax.vmap(made.game.prior)(keys.fold_examples(KEY, batch['index']))
  g = jax.jit(lambda z: networks.net('g', z))
  mixed = jax.tree.map(lambda z: jnp.concatenate([z[:2], z[:1:-1]]), latent)
  assert np.isfinite(g(latent)).all()
  np.testing.assert_array_equal(g(latent)[:2], g(mixed)[:2])
  two = jax.tree.map(lambda z: z[:2], latent)
  np.testing.assert_allclose(g(latent)[:2], g(two), 1e-4, 1e-5)
  assert g(latent).shape == batch['x'].shape


def latent(module, name):
  """A key, one latent; the same key, the same latent."""
  options_of(module.make_prior)
  made, state, batch = game_of((2,), latent={'name': name})
  prior, each = made.game.prior, keys.fold_examples(KEY, batch['index'])
  many = jax.jit(jax.vmap(prior))(each[jnp.array([0, 1, 0])])
  np.testing.assert_array_equal(many[0], many[2])
  assert np.isfinite(many).all() and np.abs(many[0] - many[1]).max() > 0


CHECKS = {  # by room; those of a game also need the name
  'losses': lambda module, name: loss(module),
  'penalties': penalty,
  'augment': augment,
  'dynamics': dynamics,
  'conditioning': conditioning,
  'models': model,
  'datasets': lambda module, name: conformance_data.dataset(module),
  'metrics': lambda module, name: conformance_data.metric(module),
  'latents': latent,
  'optimizers': conformance_data.optimizer,
  'features': conformance_data.feature_net,
}
