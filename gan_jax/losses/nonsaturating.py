"""The non-saturating GAN: the field's name of the pair in cross_entropy.py."""

from gan_jax.losses.cross_entropy import LOG_RATIO, d_loss, g_loss

__all__ = ['LOG_RATIO', 'd_loss', 'g_loss']
