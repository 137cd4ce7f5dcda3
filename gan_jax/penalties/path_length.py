"""Path length regularisation: a step in w moves the image by the same length.

Karras et al. 2020 (https://arxiv.org/abs/1912.04958), section 3.2, equation 4,
and the authors' code, on the styles w of StyleGAN's layers:

  weight (|J_w^T y| - a)^2,   y ~ N(0, I) / sqrt(H W)

J_w is the Jacobian of the image. The length is the root of the mean over the
layers of the squared gradient in a layer's w, and a its moving average, which
begins at 0 and through which the gradient flows, as in the code. It costs a
second backward pass, so the authors have it in every fourth step (`every`), an
update of its own on the same latents, and on half of the batch (`shrink`).

A generator without a mapping network has no w: space='z' takes the length in
the latent itself, all of which is one layer then.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game import latents, networks
from gan_jax.game.gradients import safe_norm
from gan_jax.types import G, UserError

WHOLE_BATCH = True  # by the average length
SPACES = 'w', 'z'


def init() -> jax.Array:
  """Returns the memo: the average length []."""
  return jnp.float32(0)


def g_term(
  forward: Any,
  memo: jax.Array,
  *,
  key: jax.Array,
  weight: float = 2.0,
  decay: float = 0.99,
  shrink: int = 2,
  space: str = 'w',
  axis_name: str | None = None,
) -> tuple[jax.Array, jax.Array]:
  """Adds to G's loss.

  Args:
    forward: game.terms.Forward.
    memo: the average length [].
    key: one for each example [B].
    weight: of the squared deviation.
    decay: weight of the old average length.
    shrink: only each so-manieth example of the global batch counts.
    space: 'w' of a StyleGAN, or 'z'.
    axis_name: mesh axis over which the batch is spread, if it is.

  Returns:
    the term [B], whose mean is that of the examples that count, and the new
    average length.

  Raises:
    UserError: an option that there is not, or a G without w.
  """
  if space not in SPACES:
    raise UserError(
      f'penalties.path_length.space={space!r}: expected one of'
      f' {", ".join(SPACES)}.'
    )
  if shrink < 1:
    raise UserError(
      f'penalties.path_length.shrink={shrink}: expected at least 1.'
    )
  index, label = forward.batch['index'], forward.batch.get('label')
  each = shrink if len(index) % shrink == 0 else 1
  thin = lambda tree: jax.tree.map(lambda x: x[::each], tree)
  counts = (thin(index) % shrink == 0).astype(jnp.float32)  # [b]
  find = _in_w if space == 'w' else _in_z
  length = find(forward, *map(thin, (forward.latent, label, key)))  # [b]
  over = lambda x: jax.lax.pmean(x, axis_name) if axis_name else x
  share = over(counts.mean())
  average = over((length * counts).mean()) / share
  average = decay * memo + (1 - decay) * average
  each_term = weight * jnp.square(length - average) * counts / share
  return jnp.repeat(each_term, each), jax.lax.stop_gradient(average)


def _in_w(forward, latent, label, key):
  """Lengths [b] of gradients in the layers' styles [b, layers, W]."""
  try:
    ws = forward.net(G, latent, label, method='training_styles')
  except networks.NoMethod as e:
    raise UserError(
      "penalties.path_length: this model's G has no styles w, as stylegan2 and"
      " stylegan3 have; space='z' takes the latent in their place."
    ) from e
  noise = latent.get('noise') if isinstance(latent, dict) else None
  image = lambda ws: forward.net(G, ws, noise, method='images')
  return _length(image, ws, key) / jnp.sqrt(ws.shape[1])


def _in_z(forward, latent, label, key):
  """Lengths [b] of gradients in the latent's code."""
  z = latents.code_of(latent, flag='penalties.path_length')
  make = lambda z: forward.net(G, latents.with_code(latent, z), label)
  return _length(make, z, key)


def _length(make, x, key):
  """|J^T y| [b] of x [b, ...], whose examples are made one by one."""

  def project(x):
    made = make(x).astype(jnp.float32)  # [b, ..., C]
    draw = lambda key: jax.random.normal(key, made.shape[1:])
    places = made[0, ..., 0].size
    return (made * jax.vmap(draw)(key)).sum() / jnp.sqrt(places)

  return safe_norm(jax.grad(project)(x))
