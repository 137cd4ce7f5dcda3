"""gan_jax: a laboratory for generative adversarial networks in JAX."""

__version__ = '0.2.0'
