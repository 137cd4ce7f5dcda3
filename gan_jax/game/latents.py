"""Latent priors: one z per key."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.components import modules
from gan_jax.types import Tree, UserError


def _normal(key, dim):
  return jax.random.normal(key, (dim,))


def _uniform(key, dim):
  return jax.random.uniform(key, (dim,), minval=-1.0, maxval=1.0)


def _sphere(key, dim):
  """Uniform on the sphere of radius sqrt(dim), a normal z's typical norm."""
  z = _normal(key, dim)
  return z * jnp.sqrt(dim) / jnp.linalg.norm(z)


PRIORS = {'normal': _normal, 'uniform': _uniform, 'sphere': _sphere}


def make_prior(
  name: str = 'normal',
  *,
  dim: int = 64,
  categories: tuple[int, ...] = (),
  continuous: int = 0,
) -> Callable:
  """Returns prior(key []) -> z [dim + the codes' numbers], float32.

  Codes (Chen et al. 2016, InfoGAN, https://arxiv.org/abs/1606.03657, section 7)
  stand behind the noise: each categorical one as one-hot numbers, then those
  that are uniform on [-1, 1]. See conditioning/infogan.

  Args:
    name: of the noise: 'normal', 'uniform' on [-1, 1], or 'sphere' of radius
      sqrt(dim).
    dim: length of the noise.
    categories: how many values each categorical code has.
    continuous: how many codes are uniform.

  Raises:
    UserError: the name is unknown, or a number is not positive.
  """
  if name not in PRIORS:
    raise UserError(
      f'latent.name={name!r}: there are {", ".join(PRIORS)}, or the dotted name'
      ' of a module with make_prior.'
    )
  if dim < 1:
    raise UserError(f'latent.dim={dim}: expected a positive number.')
  if min((*categories, continuous + 1), default=1) < 1:
    raise UserError(
      f'latent.categories={categories}, latent.continuous={continuous}:'
      ' expected positive numbers.'
    )
  noise = functools.partial(PRIORS[name], dim=dim)
  if not categories and not continuous:
    return noise
  return functools.partial(
    _with_codes, noise=noise, categories=categories, continuous=continuous
  )


def _with_codes(key, noise, categories, continuous):
  of_noise, of_codes = jax.random.split(key)
  keys = jax.random.split(of_codes, len(categories) + 1)
  discrete = [
    jax.nn.one_hot(jax.random.randint(own, (), 0, n), n)
    for own, n in zip(keys[1:], categories, strict=True)
  ]
  uniform = _uniform(keys[0], continuous)
  return jnp.concatenate([noise(of_noise), *discrete, uniform])


def code_of(latent: Tree, *, flag: str) -> jax.Array:
  """The code [B, Z] of latents: all of it, or what they call z beside noise.

  Args:
    latent: [B, ...].
    flag: how the config names who asks, for error messages.

  Raises:
    UserError: it is of several arrays, none of which is z.
  """
  if isinstance(latent, dict) and CODE in latent:
    return latent[CODE]
  if hasattr(latent, 'shape'):
    return latent
  raise UserError(
    f'{flag}: expected a latent that is one array, or has a {CODE!r}; it is'
    f' {jax.tree.structure(latent)}.'
  )


CODE = 'z'  # of a latent of several arrays, beside noise


def with_code(latent: Tree, code: jax.Array) -> Tree:
  """The latents with another code, and the same noise."""
  return {**latent, CODE: code} if isinstance(latent, dict) else code


def prior_with_code(prior: Callable, code: tuple) -> Callable:
  """The prior of latents some of whose numbers are given.

  Args:
    prior: key -> latent [Z].
    code: pairs (first place, values).
  """

  def draw(key):
    z = prior(key)
    for place, values in code:
      z = z.at[place : place + len(values)].set(jnp.array(values, z.dtype))
    return z

  return draw


def maker(name: str, model: Any = None) -> Callable:
  """What makes the prior of that name: make_prior(**options) -> prior.

  Args:
    name: one of PRIORS, or the dotted name of a module with make_prior.
    model: a module of networks, whose own make_prior comes first.

  Raises:
    UserError: there is no such module, or it has no make_prior.
  """
  if hasattr(model, 'make_prior'):
    return model.make_prior
  if not modules.is_outside(name):
    return functools.partial(make_prior, name)
  flag, needs = 'latent.name', ['make_prior']
  return modules.named(name, flag=flag, needs=needs).make_prior
