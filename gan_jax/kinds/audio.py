"""Sounds [N, T, 1]: 16-bit levels on disk, [-1, 1] in the networks.

What a data set's `about` may say: `sample_rate`, in Hz; `pitches`, the Hz of
each class's fundamental, where they are known.
"""

import base64
import html
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from gan_jax.kinds.drawing import plots, terminal
from gan_jax.kinds.hearing import spectra, wav
from gan_jax.types import Dataset

SHOWN = 12  # four rows of three
MAX_REAL = 10_000
RANGE = None
BACKDROP = False
SUFFIXES = ('.wav', '.png', '.webp')
FEATURES = ('classifier',)
MEASURED = ('sound',)
mirror = neighbours = None

ACROSS = 3  # panels in a row
WIDTH, HEIGHT = 200, 170  # pixels of a panel
PAUSE = 0.1  # seconds between sounds in one file
SOUND = 600_000  # bytes of it in a fragment, at most
TICKS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16)  # kHz


# ------------------------------------------------------------- model range


def to_model_range(x: Any, *, dataset: Dataset | None = None) -> Any:
  """int16 [...] -> float32 in [-1, 1] by x / 32768; floats pass through."""
  del dataset
  if x.dtype != np.int16:
    return x
  return x.astype(np.float32) * np.float32(1 / wav.FULL)


def from_model_range(samples: Any, *, dataset: Dataset | None = None) -> Any:
  """Floats in [-1, 1] -> int16, rounded; clipped beyond, NaN is silent."""
  del dataset
  if isinstance(samples, np.ndarray):
    return wav.levels(samples)
  x = jnp.nan_to_num(samples.astype(jnp.float32), posinf=0, neginf=0)
  return jnp.rint(jnp.clip(x * wav.FULL, -wav.FULL, wav.FULL - 1)).astype(
    jnp.int16
  )


to_metrics = to_model_range


def as_images(samples: np.ndarray, *, about: Any = None) -> np.ndarray:
  """Log-mel spectrograms: time down, bands across, [N, frames, bands, 1]."""
  x = to_model_range(np.asarray(samples))[..., 0]
  return spectra.log_mel(x, spectra.rate_of(about))[..., None]


def usual_metrics(there: frozenset[str]) -> tuple[str, ...]:
  """What a classifier hears, if there is one; pitches, where they are known."""
  names = ('pitch_accuracy',) if 'pitches' in there else ()
  if 'classes' in there:
    return (*names, 'fid', 'class_coverage')
  own = ('log_spectral_distance',) if 'sound' in there else ()
  return (*names, *own) or ('precision', 'coverage')


# ---------------------------------------------------------------- pictures


def picture(samples, *, dataset: Dataset | None = None, real=None, labels=None):
  """Waveforms, the log-mel spectrogram of each below it.

  Args:
    samples: [N, T, 1] in model range or int16.
    dataset: tells the sample rate.
    real: not needed.
    labels: N names, above the panels, or None.

  Returns:
    An RGB `PIL.Image.Image`, 600 pixels wide; seconds across, kHz up.
  """
  del real
  rate = _rate(dataset)
  x = _waves(samples)  # [N, T]
  rows = -(-len(x) // ACROSS)
  figure = plots.figure(ACROSS * WIDTH, rows * HEIGHT)
  outer = figure.add_gridspec(
    rows, ACROSS, wspace=0.08, hspace=0.3,
    left=0.06, right=0.985, top=1 - 18 / (rows * HEIGHT),
    bottom=26 / (rows * HEIGHT),
  )  # fmt: skip
  for k, (wave, loud) in enumerate(
    zip(x, spectra.log_mel(x, rate), strict=True)
  ):
    upper, lower = outer[k // ACROSS, k % ACROSS].subgridspec(
      2, 1, height_ratios=(1, 2), hspace=0.08
    )
    seconds = len(wave) / rate
    top = figure.add_subplot(upper)
    _wave(top, wave, seconds)
    if labels is not None:
      text = top.set_title(str(labels[k]), fontsize=8, color=plots.INK, pad=2)
      text.set_parse_math(False)
    axes = figure.add_subplot(lower)
    _spectrogram(axes, loud, seconds, rate)
    _units(axes, left=k % ACROSS == 0, first=k == 0)
  return plots.drawn(figure)


def _wave(axes, wave, seconds):
  """One waveform [T], from -1 to 1 whatever it is."""
  plots.quiet(axes, ticks=3)
  time = np.linspace(0, seconds, len(wave), endpoint=False)
  axes.plot(time, wave, color=plots.ACCENT, linewidth=0.5)
  axes.set(xlim=(0, seconds), ylim=(-1, 1), yticks=[], xticklabels=[])


def _spectrogram(axes, loud, seconds, rate):
  """One log-mel spectrogram [frames, bands]."""
  axes.imshow(
    loud.T, origin='lower', aspect='auto', cmap='magma', vmin=-1, vmax=1,
    extent=(0, seconds, 0, float(spectra.mel(rate / 2))),
  )  # fmt: skip
  plots.quiet(axes, ticks=4)
  axes.grid(visible=False)
  ticks = [f for f in TICKS if f < 0.9 * rate / 2000][-3:]
  axes.set_yticks(
    [float(spectra.mel(1000 * f)) for f in ticks], [f'{f:g}' for f in ticks]
  )


def _units(axes, *, left, first):
  """All have the same axes: kHz stand at the left, units at the first."""
  axes.tick_params(labelleft=left)
  if not first:
    return
  own = {'fontsize': 8, 'color': '#8a919c', 'textcoords': 'offset points'}
  for unit, at, shift in (('kHz', (0, 1), (-22, 4)), ('s', (1, 0), (-4, -11))):
    axes.annotate(unit, at, shift, xycoords='axes fraction', **own)


def _waves(samples):
  """[N, T, 1] in model range or int16 -> [N, T] in [-1, 1], all numbers."""
  return to_model_range(wav.levels(np.asarray(samples)))[..., 0]


def _rate(dataset):
  return spectra.rate_of(dataset.about if dataset else None)


# ------------------------------------------------------------ other shapes


def lines(samples, *, dataset: Dataset | None = None, labels=None) -> list[str]:
  """A line for each sound: its class, how loud it is in time, its peak in Hz.

  Args:
    samples: [N, T, 1] in model range or int16.
    dataset: tells the sample rate.
    labels: N names, or None.
  """
  rate, made = _rate(dataset), []
  for k, wave in enumerate(_waves(samples)):
    name = '' if labels is None else f'{str(labels[k])[:8]:<8} '
    parts = np.array_split(np.abs(wave), min(len(wave), 56))
    loud = terminal.curve(np.array([p.max() for p in parts]), low=0, high=1)
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    peak = spectrum.argmax() * rate / len(wave)
    made.append(f'{name}{loud} {peak:.0f} Hz')
  return made


def fragment(
  samples, *, dataset: Dataset | None = None, real=None, labels=None
) -> str:
  """A player for each sound, generated ones first; the page holds the sound.

  Of long sounds only the first ones, so that the page stays small.
  """
  rate = _rate(dataset)
  count = max(1, SOUND // (2 * 2 * samples.shape[1]))  # on each side
  samples = samples[:count]
  named = [''] * len(samples) if labels is None else list(map(str, labels))
  made = _players('Generated', _waves(samples), named[:count], rate)
  if real is None:
    return made
  real = real[:count]
  return made + _players('Real', _waves(real), [''] * len(real), rate)


def _players(title, waves, names, rate):
  each = ''.join(
    _player(f'{title} {k}', wave, name, rate)
    for k, (wave, name) in enumerate(zip(waves, names, strict=True), start=1)
  )
  return (
    f'<h3>{title}</h3><div style="display:grid;gap:8px 16px;margin:8px 0 24px;'
    'grid-template-columns:repeat(auto-fill,minmax(220px,1fr))">'
    f'{each}</div>'
  )


def _player(what, wave, name, rate):
  sound = base64.b64encode(wav.encoded(wave, rate)).decode()
  caption = html.escape(f'{what}: {name}' if name else what)
  return (
    f'<figure style="margin:0"><figcaption><small>{caption}</small>'
    '</figcaption><audio controls preload="metadata" style="width:100%;'
    f'height:36px;color-scheme:light dark" aria-label="{caption}"'
    f' src="data:audio/wav;base64,{sound}"></audio></figure>'
  )


def export(
  path, samples, *, dataset: Dataset | None = None, real=None, labels=None
):
  """Writes the picture, or a .wav: several sounds follow one another."""
  if not str(path).endswith('.wav'):
    made = picture(samples, dataset=dataset, real=real, labels=labels)
    made.save(path, lossless=True)
    return
  rate, x = _rate(dataset), wav.levels(np.asarray(samples))[..., 0]
  silent = np.zeros((len(x), math.ceil(PAUSE * rate)), np.int16)
  whole = x[0] if len(x) == 1 else np.concatenate([x, silent], 1).reshape(-1)
  with open(path, 'wb') as file:
    file.write(wav.encoded(whole, rate))
