"""The page's pictures: samples over time beside real ones, all embedded."""

import base64
import functools
import html
import io
import pathlib

from gan_jax.report import pictures

STEPS = 12  # step pictures on a page, at most
SIDE = 640  # pixels; larger pictures are shrunk
BUDGET = 2_100_000  # bytes of all pictures before base64; 3 MB of page
MORE = 'more.html'  # of the latest samples, where a picture does not show all
MOST_MORE = 2**20  # characters of it
# Pictures of samples side by side: title, legend, what they are called.
NEAREST = (
  'Nearest real examples',
  'Each row: a sample, then the training examples nearest to it by their'
  ' features, nearest first.',
  'Samples and their nearest real examples',
)
REBUILT = (
  'Rebuilt',
  'Rows in turn: real examples, and below them what G makes of their codes.',
  'Real examples and what became of them',
)


def gallery(samples_dir) -> str:
  """A <section> with a slider through the step pictures, '' without any.

  Args:
    samples_dir: folder with step_*.png, and perhaps real.png, neighbours.png,
      rebuilt.png, progress.webp, and more.html.
  """
  folder = pathlib.Path(samples_dir)
  paths = pictures.evenly(pictures.step_pictures(folder), STEPS)
  shown = [(pictures.step_of(path), embed(path)) for path in paths]
  shown = [(step, url) for step, url in shown if url]
  if not shown:
    return ''
  steps, embedded = zip(*shown, strict=True)
  real = folder / 'real.png'
  real = embed(real) if real.exists() else ''
  nearest = _beside(folder / 'rebuilt.png', *REBUILT)
  nearest += _beside(folder / 'neighbours.png', *NEAREST)
  left = BUDGET - sum(map(len, [*embedded, real, nearest])) * 3 // 4
  film = _film(folder / 'progress.webp', left)
  columns = _generated(embedded, steps, film) + _real(real)
  below = _more(folder / MORE) + nearest
  return (
    '<section id="samples"><h2>Samples</h2>'
    f'<div class="pair">{columns}</div>{below}</section>'
  )


def embed(path, *, side: int = SIDE) -> str:
  """A picture as a small data: URL, at most `side` pixels wide and high.

  '' if it is damaged.
  """
  stat = pathlib.Path(path).stat()
  return _embed(str(path), side, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=64)  # the page is written at every report
def _embed(path, side, _time, _size):
  image = pictures.opened(path)
  if image is None:
    return ''
  image.thumbnail((side, side))
  buffer = io.BytesIO()
  image.save(buffer, 'WEBP', quality=80, method=2)
  return _url(buffer.getvalue())


def _url(webp):
  return 'data:image/webp;base64,' + base64.b64encode(webp).decode()


def _film(path, budget):
  """The animation as a URL; '' if there is none or it is too large."""
  if not path.exists() or path.stat().st_size > budget:
    return ''
  return _url(path.read_bytes())


def _generated(embedded, steps, film):
  last = len(steps) - 1
  shown = ''.join(
    f'<img src="{url}" alt="Samples at step {step:,}" data-step="{step:,}"'
    f'{"" if k == last else " hidden"}>'
    for k, (url, step) in enumerate(zip(embedded, steps, strict=True))
  )
  play = ''
  if film:
    shown += f'<img class="film" src="{film}" alt="All steps" hidden>'
    play = '<button type="button" aria-pressed="false">Play</button>'
  slider = (
    f'<input type="range" min="0" max="{last}" value="{last}" '
    'aria-label="Step of the samples shown">'
  )
  controls = f'<div class="controls">{play}{slider}</div>' if last else ''
  return (
    '<figure class="generated"><figcaption><h3>Generated</h3>'
    f'<output>step {steps[-1]:,}</output></figcaption>'
    f'<div class="plate">{shown}</div>{controls}</figure>'
  )


def _more(path):
  """What a kind shows of its samples beside pictures: HTML of its own."""
  try:
    more = path.read_text()
  except (OSError, UnicodeDecodeError):  # there is none, or it is damaged
    return ''
  fits = len(more) <= MOST_MORE
  return f'<div class="more">{more}</div>' if fits else ''


def _beside(path, title, legend, name):
  """A picture of samples beside others, if there is one."""
  url = embed(path) if path.exists() else ''
  if not url:
    return ''
  return (
    f'<figure class="nearest"><figcaption><h3>{title}</h3>'
    f'<p class="legend">{legend}</p></figcaption>'
    f'<div class="plate"><img src="{url}" alt="{name}"></div></figure>'
  )


def _real(url):
  if not url:
    return ''
  return (
    '<figure><figcaption><h3>Real</h3></figcaption><div class="plate">'
    f'<img src="{html.escape(url, quote=True)}" alt="Real examples"></div>'
    '</figure>'
  )
