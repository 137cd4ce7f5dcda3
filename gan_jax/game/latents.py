"""Latent priors: one z per key."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax import modules
from gan_jax.types import UserError


def _normal(key, dim):
  return jax.random.normal(key, (dim,))


def _uniform(key, dim):
  return jax.random.uniform(key, (dim,), minval=-1.0, maxval=1.0)


def _sphere(key, dim):
  """Uniform on the sphere of radius sqrt(dim), a normal z's typical norm."""
  z = _normal(key, dim)
  return z * jnp.sqrt(dim) / jnp.linalg.norm(z)


PRIORS = {'normal': _normal, 'uniform': _uniform, 'sphere': _sphere}


def make_prior(name: str = 'normal', *, dim: int = 64) -> Callable:
  """Returns prior(key []) -> z [dim], float32.

  Args:
    name: 'normal', 'uniform' on [-1, 1], or 'sphere' of radius sqrt(dim).
    dim: length of z.

  Raises:
    UserError: the name is unknown or dim is not positive.
  """
  if name not in PRIORS:
    raise UserError(
      f'latent.name={name!r}: there are {", ".join(PRIORS)}, or the dotted name'
      ' of a module with make_prior.'
    )
  if dim < 1:
    raise UserError(f'latent.dim={dim}: expected a positive number.')
  return functools.partial(PRIORS[name], dim=dim)


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
