"""Protocols: what each name stands for, in so many words."""

import pytest

from gan_jax.metrics import protocols
from gan_jax.types import UserError


@pytest.mark.parametrize(
  ('name', 'means'),
  [
    ('tf-inception-50k-train', ('inception', 'tf', 'train', 50_000)),
    ('tf-inception-10k-test', ('inception', 'tf', 'test', 10_000)),
    ('clean-50k-train', ('inception', 'clean', 'train', 50_000)),
    ('clean-10k-test', ('inception', 'clean', 'test', 10_000)),
    ('classifier-50k-train', ('classifier', '', 'train', 50_000)),
    ('classifier-10k-test', ('classifier', '', 'test', 10_000)),
  ],
)
def test_what_a_name_stands_for(name, means):
  assert protocols.get(name) == means
  assert len(protocols.PROTOCOLS) == 6


def test_another_name_is_refused():
  with pytest.raises(UserError, match='--protocol=foo: there are tf-incep'):
    protocols.get('foo')
