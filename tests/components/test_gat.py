"""GAT's layers, first weights, levels of noise, and its game."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.conditioning import inner_product
from gan_jax.game import forward
from gan_jax.models import gat
from gan_jax.models.layers import blocks, positions, transformer
from gan_jax.types import UserError
from tests.components import conformance
from tests.components.compiled import close, image, init

TINY = {'depth': 4, 'width': 8, 'heads': 2}


def test_turned_pairs_are_rotated_by_row_and_column():
  x = np.asarray(image(2, 1 + 2 * 3, 2, 8))
  got = positions.turned(jnp.asarray(x), (2, 3))
  close(got[:, 0], x[:, 0])  # no place of the grid
  for token in range(6):
    for pair in range(4):
      place = divmod(token, 3)[pair // 2]
      angle = place * 10000 ** (-(pair % 2) / 2)
      turn = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
      )
      own = slice(2 * pair, 2 * pair + 2)
      close(got[:, 1 + token, :, own], x[:, 1 + token, :, own] @ turn.T)


def test_products_of_turned_vectors_depend_on_how_far_apart_they_are():
  a, b = (jnp.broadcast_to(image(8, seed=i), (1, 20, 1, 8)) for i in (0, 1))
  a, b = (positions.turned(x, (4, 5))[0, :, 0] for x in (a, b))
  product = (a @ b.T).reshape(4, 5, 4, 5)
  close(product[0, 0, 1, 2], product[2, 2, 3, 4])
  assert abs(product[0, 0, 1, 2] - product[0, 0, 2, 1]) > 1e-3


def test_patches_are_put_together_again():
  x = image(2, 6, 4, 3)
  tokens = transformer.patches(x, 2)
  assert tokens.shape == (2, 6, 12)
  close(tokens[:, 1], x[:, :2, 2:].reshape(2, -1))
  close(transformer.unpatched(tokens, (3, 2), 2), x)
  padded = transformer.patches(image(1, 5, 4, 1), 4)
  assert padded.shape == (1, 2, 16)
  close(padded[0, 0].reshape(4, 4)[0], jnp.zeros(4))  # one row before


def test_first_weights_are_the_papers():
  g = gat.Generator(shape=(4, 4, 3), depth=1, levels=1, width=64, heads=4)
  begin = jax.jit(functools.partial(g.init, train=False))
  v = begin(jax.random.key(0), jnp.ones((1, 64)))['params']
  glorot = lambda *sizes: pytest.approx(np.sqrt(2 / sum(sizes)), rel=0.1)
  block = v['block_0']
  small = block['modulation']['kernel'].std()
  assert 10 * small == glorot(64, 256)
  assert block['units']['wide']['kernel'].std() == glorot(64, 340)
  assert v['mapping_1']['kernel'].std() / 100 == glorot(64, 64)
  d = gat.Discriminator(depth=1, width=64, heads=4)
  begin = jax.jit(functools.partial(d.init, train=False))
  v = begin(jax.random.key(0), jnp.ones((1, 4, 4, 3)))['params']
  assert v['class_token'].std() == pytest.approx(0.02, rel=0.3)
  close(v['block_0']['units_scale'], 0.1 * jnp.ones(64))


def test_noise_levels_are_the_papers():
  close(gat.noise_levels(4), [0.885, 0.76, 0.51, 0.01], atol=1e-6)
  close(gat.noise_levels(1), [0.01], atol=1e-6)


def test_levels_are_as_noisy_as_they_should_be_and_share_their_noise():
  images = jnp.broadcast_to(image(4, 4, 1)[None], (4, 4, 4, 1))
  keys = jax.random.split(jax.random.key(0), 4000)
  seen = jax.jit(jax.vmap(lambda key: gat.noisy(images, key)))(keys)
  shares = np.array(gat.noise_levels(4))
  noise = np.asarray(seen) - (1 - shares) * np.asarray(images[0])
  close(noise.std((0, 1, 2)), shares, atol=0.02)
  got = np.corrcoef(noise.reshape(-1, 4).T)
  # A level's noise is the next's, shrunk as its image is, and more of its own.
  for i in range(4):
    for j in range(i + 1, 4):
      kept = (1 - shares[i]) / (1 - shares[j])
      assert got[i, j] == pytest.approx(kept * shares[j] / shares[i], abs=0.02)


def test_d_is_shown_every_level_of_both():
  made, state, batch = conformance.game_of(
    (4, 6, 3), 2, model={'name': 'gat', 'g': TINY, 'd': TINY}
  )

  def run(*args):
    seen, _ = forward.forward(made.game, *args)
    return seen.real, seen.fake, seen.also['samples']

  real, fake, samples = jax.jit(run)(state, batch, conformance.KEY)
  assert real.shape == fake.shape == (len(batch['x']), 4, 6, 12)
  assert samples.shape == batch['x'].shape
  # The last image is nearly without noise.
  assert np.abs(real[..., 9:] - 0.99 * batch['x']).std() < 0.02
  assert np.abs(fake[..., 9:] - 0.99 * samples).std() < 0.02
  assert np.abs(real[..., :3] - 0.115 * batch['x']).std() > 0.4


@pytest.mark.parametrize('shape', [(5, 9, 1), (8, 8, 2)])
def test_images_of_any_size(shape):
  g = gat.Generator(shape=shape, patch=4, **TINY)
  d = gat.Discriminator(patch=4, **TINY)
  z, x = jnp.ones((2, 4)), jnp.ones((2, *shape))
  run = lambda key: (
    g.init_with_output(key, z, train=True)[0],
    d.init_with_output(key, x, train=True)[0],
  )
  images, logits = jax.eval_shape(run, jax.random.key(0))
  assert images.shape == (2, *shape) and logits.shape == (2,)


@pytest.mark.parametrize(
  'options, says',
  [
    ({'size': 'm'}, "size 'm': expected one of s, b, l, xl"),
    ({'levels': 5}, 'levels=5: expected 1 to 4'),
    ({'levels': 0}, 'levels=0'),
    ({'heads': 3}, 'heads=3.* multiple of four times'),
    ({'patch': 0}, 'patch=0'),
    ({'depth': -1}, 'depth=-1'),
  ],
)
def test_what_cannot_be_built_is_refused(options, says):
  g = gat.Generator(shape=(8, 8, 1), **(TINY | options))
  with pytest.raises(UserError, match=says):
    g.init(jax.random.key(0), jnp.ones((1, 4)), train=False)


def test_a_head_compares_vectors_of_its_own_size():
  head = inner_product.Head(
    blocks.Dense, blocks.Embed, num_classes=3, dim=5, mapping=1
  )
  x, label = image(2, 7), jnp.array([2, 0])
  v = init(head, x, label)
  p = v['params']
  assert p['logits']['kernel'].shape == (7, 5)
  assert p['embed']['embedding'].shape == (3, 5)
  slow = p['mapping_0']['kernel']  # a hundred times Glorot's
  assert slow.std() == pytest.approx(100 * np.sqrt(2 / (5 + 5)), rel=0.5)
  vectors = p['embed']['embedding'][label] @ slow / 100
  want = (vectors * (x @ p['logits']['kernel'])).sum(1)
  close(head.apply(v, x, label)['logits'], want)
  plain = inner_product.Head(blocks.Dense, blocks.Embed, num_classes=0, dim=5)
  v = init(plain, x)
  assert v['params']['logits']['kernel'].shape == (7, 1)
