"""ADA: adaptive discriminator augmentation, and its pipeline of transforms.

Karras et al. 2020, Training Generative Adversarial Networks with Limited Data
(https://arxiv.org/abs/2006.06676), Section 3 and appendix B, in the order and
with the constants of the authors' code. Every transform is done to a sample
with probability p times its strength, by a gate of its own:

  blit     xflip, rotate90, xint (whole pixels, up to 1/8 of the sides)
  geom     scale 2^N(0, .2), rotate (before and after) aniso 2^N(0, .2), xfrac
           N(0, 1/8) of the sides; a turn by probability 1 - sqrt(1 - p)
  color    brightness N(0, .2), contrast 2^N(0, .5), lumaflip, hue, saturation
           2^N(0, 1)
  filter   imgfilter: four octaves times 2^N(0, 1), each by its own gate
  noise    of strength |N(0, .1)|
  cutout   half of the sides

p follows D's logits, see shared/controller, unless `adaptive` is off; then it
is what the config says, a number or a schedule.

Gray images have neither hue nor saturation, and their other colours are means
over the rows of the matrix; images of other counts of channels have no such
colours, and `color` is refused. What a group that is left out would do costs
nothing; another strength compiles nothing.
"""

import functools

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import (
  checks,
  color,
  controller,
  corruption,
  geometry,
)
from gan_jax.augment.shared import draws as draws_lib
from gan_jax.augment.shared.controller import (  # noqa: F401
  ignored,
  init,
  measured,
)
from gan_jax.types import Tree, UserError

GROUPS = {  # in their order
  'blit': ('xflip', 'rotate90', 'xint'),
  'geom': ('scale', 'rotate', 'aniso', 'xfrac'),
  'color': ('brightness', 'contrast', 'lumaflip', 'hue', 'saturation'),
  'filter': ('imgfilter',),
  'noise': ('noise',),
  'cutout': ('cutout',),
}
_TRANSFORMS = tuple(name for group in GROUPS.values() for name in group)
BGC = ('blit', 'geom', 'color')


def update(
  memo: Tree,
  real_logits: jax.Array,
  *,
  target: float = 0.6,
  interval: int = 4,
  kimg: float = 500.0,
) -> Tree:
  """The memo after a move of D; see controller.update.

  Args:
    memo: from init.
    real_logits: of the global batch [B].
    target: mean sign of D's logits of reals that is not yet overfitting.
    interval: moves of D between two changes of p.
    kimg: thousands of images in which p may rise from 0 to 1.
  """
  return controller.update(
    memo, real_logits, target=target, interval=interval, kimg=kimg
  )


def apply(
  x: jax.Array,
  memo: Tree,
  *,
  key: jax.Array,
  groups: tuple | str = BGC,
  p: float = 0.0,
  xflip: float = 1.0,
  rotate90: float = 1.0,
  xint: float = 1.0,
  scale: float = 1.0,
  rotate: float = 1.0,
  aniso: float = 1.0,
  xfrac: float = 1.0,
  brightness: float = 1.0,
  contrast: float = 1.0,
  lumaflip: float = 1.0,
  hue: float = 1.0,
  saturation: float = 1.0,
  imgfilter: float = 1.0,
  noise: float = 1.0,
  cutout: float = 1.0,
) -> jax.Array:
  """Shows images through the pipeline.

  Args:
    x: images [B, H, W, C] in model range.
    memo: from init.
    key: one for each example [B].
    groups: of GROUPS, whose transforms are done.
    p: probability, where it is fixed.
    xflip: strength, by which p is multiplied; likewise all others.
    rotate90: likewise.
    xint: likewise.
    scale: likewise.
    rotate: likewise.
    aniso: likewise.
    xfrac: likewise.
    brightness: likewise.
    contrast: likewise.
    lumaflip: likewise.
    hue: likewise.
    saturation: likewise.
    imgfilter: likewise.
    noise: likewise.
    cutout: likewise.

  Returns:
    [B, H, W, C].

  Raises:
    UserError: no images, or groups that mean nothing for these.
  """
  given = locals()  # strengths by their names
  groups = checks.names_of('augment.groups', groups, tuple(GROUPS))
  _check_images(x, groups)
  strengths = {name: given[name] for name in _TRANSFORMS}
  chances = chances_of(controller.p_of(memo, p), strengths)
  one = functools.partial(_shown, groups=groups, chances=chances)
  return jax.vmap(one)(x.astype(jnp.float32), key).astype(x.dtype)


def chances_of(p, strengths: dict) -> dict:
  """{transform: the probability of its gate} of p and {transform: strength}.

  The two turns together leave an image alone with probability 1 - p, and each
  band of the filter has a gate.
  """
  chances = {name: p * own for name, own in strengths.items()}
  turned = jnp.clip(1 - chances.pop('rotate'), 0, 1)
  filtered = chances.pop('imgfilter')
  return (
    chances
    | dict.fromkeys(geometry.ROTATIONS, 1 - jnp.sqrt(turned))
    | dict.fromkeys(corruption.FILTERS, filtered)
  )


def _shown(x, key, *, groups, chances):
  """One image [H, W, C]."""
  of_gates, of_noise = jax.random.split(key)
  draw = draws_lib.Draws(of_gates, chances)
  height, width, channels = x.shape
  if moves := [g for g in ('blit', 'geom') if g in groups]:
    maps = [getattr(geometry, g)(draw, height, width) for g in moves]
    x = geometry.warp(x, geometry.affine.product(*maps))
  if 'color' in groups:
    x = color.change(x, color.matrix(draw, channels=channels))
  if 'filter' in groups:
    x = corruption.filtered(x, corruption.taps(draw))
  if 'noise' in groups:
    x = corruption.noisy(x, draw, of_noise)
  return corruption.cut(x, draw) if 'cutout' in groups else x


def _check_images(x, groups):
  checks.check_images('ada', x)
  if 'color' in groups and x.shape[-1] not in color.CHANNELS:
    others = ','.join(group for group in groups if group != 'color')
    raise UserError(
      f'augment.groups={",".join(groups)}: color has a meaning for images of 1'
      f' or 3 channels, not of {x.shape[-1]}; expected {others or "others"}.'
    )


def check(flag: str, options: dict):
  """Refuses numbers that mean nothing; UserError."""
  controller.check(flag, options)
  checks.check_range(flag, options, None, *_TRANSFORMS)
