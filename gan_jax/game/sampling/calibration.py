"""A discriminator's logits turned into log density ratios."""

import numpy as np

STEPS = 100  # of Newton's method, at most
RIDGE = 1e-6  # on the slope, so that separate logits have an answer


def fit(real, fake) -> tuple[float, float]:
  """Logistic regression of 'real or not' on a logit, by Newton's method.

  Platt 1999, Probabilistic outputs for support vector machines; asked for by
  Turner et al. 2019, https://arxiv.org/abs/1811.11357, section 3.2. Both sides
  weigh the same, however many there are of each.

  Args:
    real: logits of held-out real samples [N].
    fake: of generated ones [M].

  Returns:
    (slope, offset): slope * logit + offset estimates log(p_d / p_g).
  """
  s = np.concatenate([real, fake]).astype(np.float64)
  y = np.repeat([1.0, 0.0], [len(real), len(fake)])
  weight = np.repeat([0.5 / len(real), 0.5 / len(fake)], [len(real), len(fake)])
  middle, spread = s.mean(), s.std() or 1.0
  x = np.stack([(s - middle) / spread, np.ones_like(s)], 1)  # [N + M, 2]
  ridge, beta = np.array([RIDGE, 0.0]), np.zeros(2)
  loss = lambda beta: _loss(x @ beta, y, weight) + (ridge * beta**2).sum() / 2
  for _ in range(STEPS):
    p = _sigmoid(x @ beta)
    slope = x.T @ (weight * (p - y)) + ridge * beta
    curve = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-12)
    move, share = np.linalg.solve(curve, slope), 1.0
    while loss(beta - share * move) > loss(beta) and share > 1e-6:
      share /= 2
    beta = beta - share * move
    if np.abs(share * move).max() < 1e-10:
      break
  a = beta[0] / spread
  return float(a), float(beta[1] - a * middle)


def _sigmoid(x):
  return 0.5 * (1 + np.tanh(x / 2))


def _loss(logits, y, weight):
  return float((weight * (np.logaddexp(0, logits) - y * logits)).sum())
