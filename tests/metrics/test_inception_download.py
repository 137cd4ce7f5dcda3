"""Where Inception's weights are looked for, and how they are downloaded."""

import hashlib

import pytest

from gan_jax.metrics.features import inception, inception_weights
from gan_jax.types import UserError


@pytest.fixture
def cache(tmp_path, monkeypatch):
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))
  monkeypatch.delenv('GAN_JAX_INCEPTION', raising=False)
  return tmp_path / 'cache'


def test_find(cache, tmp_path, monkeypatch):
  with pytest.raises(UserError) as e:
    inception.load()
  told = str(e.value)
  assert inception_weights.URL in told and str(cache) in told
  assert '$GAN_JAX_INCEPTION' in told and 'random_conv' in told
  assert '\n' not in told
  cache.mkdir()
  for name in (inception_weights.FILE, inception_weights.CONVERTED):
    (cache / name).touch()
    assert inception_weights.find() == cache / name
  mine = tmp_path / 'mine.pth'
  monkeypatch.setenv('GAN_JAX_INCEPTION', str(mine))
  with pytest.raises(UserError, match='no weights at .*mine.pth'):
    inception_weights.find()
  mine.touch()
  assert inception_weights.find() == mine
  with pytest.raises(UserError, match='no weights at nowhere'):
    inception_weights.find('nowhere')


def test_download(cache, tmp_path, monkeypatch):
  source = tmp_path / 'source'
  source.write_bytes(b'weights')
  digest = hashlib.sha256(b'weights').hexdigest()
  name = f'weights-{digest[:8]}.pth'
  monkeypatch.setattr(inception_weights, 'FILE', name)
  said = []
  fetch = lambda: inception_weights.download(
    url=source.as_uri(), say=said.append
  )
  assert fetch() == cache / name and len(said) == 2
  assert (cache / name).read_bytes() == b'weights'
  mine = tmp_path / 'mine.pth'
  mine.write_bytes(b'other')
  inception_weights.download(
    str(mine), url=source.as_uri(), say=lambda line: None
  )
  assert mine.read_bytes() == b'weights'
  source.unlink()
  assert fetch() == cache / name and len(said) == 2  # it is there already


@pytest.mark.parametrize('fault', ['other content', 'offline', 'no url'])
def test_failed_download_keeps_nothing(cache, tmp_path, fault):
  source = tmp_path / 'source'
  if fault == 'other content':
    source.write_bytes(b'not the weights')
  url = 'nonsense' if fault == 'no url' else source.as_uri()
  with pytest.raises(UserError) as e:
    inception_weights.download(url=url, say=lambda line: None)
  told = str(e.value)
  wanted = 'not 6726825d' if fault == 'other content' else 'random_conv'
  assert wanted in told and '\n' not in told
  assert list(cache.iterdir()) == []
