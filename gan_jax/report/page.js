'use strict';

// Charts: the legend reads out the step under the pointer or arrow keys.
for (const svg of document.querySelectorAll('.chart svg')) {
  const {x, step, series} = JSON.parse(svg.dataset.readings);
  const figure = svg.closest('figure');
  const outputs = [...figure.querySelectorAll('output')];
  const resting = outputs.map((output) => output.textContent);
  const at = figure.querySelector('.at');
  const cursor = svg.querySelector('.cursor');
  const line = cursor.querySelector('line');
  const dots = [...cursor.querySelectorAll('circle')];
  let current = x.length - 1;

  const show = (index) => {
    current = Math.min(Math.max(index, 0), x.length - 1);
    cursor.removeAttribute('hidden');
    line.setAttribute('x1', x[current]);
    line.setAttribute('x2', x[current]);
    at.textContent = step[current];
    series.forEach(({y, text}, k) => {
      const known = y[current] !== null;
      dots[k].style.visibility = known ? '' : 'hidden';
      if (known) {
        dots[k].setAttribute('cx', x[current]);
        dots[k].setAttribute('cy', y[current]);
      }
      outputs[k].textContent = known ? text[current] : '–';
    });
  };
  const rest = () => {
    cursor.setAttribute('hidden', '');
    at.textContent = '';
    outputs.forEach((output, k) => { output.textContent = resting[k]; });
  };
  const nearest = (event) => {
    const box = svg.getBoundingClientRect();
    const pointer = (event.clientX - box.left) / box.width *
        svg.viewBox.baseVal.width;
    let best = 0;
    x.forEach((value, k) => {
      if (Math.abs(value - pointer) < Math.abs(x[best] - pointer)) best = k;
    });
    return best;
  };
  svg.addEventListener('pointermove', (event) => show(nearest(event)));
  svg.addEventListener('pointerdown', (event) => show(nearest(event)));
  svg.addEventListener('pointerleave', rest);
  svg.addEventListener('blur', rest);
  svg.addEventListener('keydown', (event) => {
    const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (move) {
      event.preventDefault();
      show(current + (cursor.hasAttribute('hidden') ? 0 : move));
    }
  });
}

// Samples: a slider through the steps, and the animation in their place.
for (const figure of document.querySelectorAll('.generated')) {
  const frames = [...figure.querySelectorAll('img:not(.film)')];
  const film = figure.querySelector('.film');
  const slider = figure.querySelector('input');
  const button = figure.querySelector('button');
  const label = figure.querySelector('output');
  const show = (chosen) => {
    [...frames, film].forEach((image) => {
      if (image) image.hidden = image !== chosen;
    });
    const playing = chosen === film;
    label.textContent = playing ? 'all steps' : `step ${chosen.dataset.step}`;
    if (button) {
      button.textContent = playing ? 'Stop' : 'Play';
      button.setAttribute('aria-pressed', playing);
    }
  };
  if (slider) {
    // Browsers remember where a slider stood; the pictures do not.
    slider.value = slider.max;
    slider.addEventListener('input', () => show(frames[slider.value]));
  }
  if (button) {
    button.addEventListener('click', () =>
        show(film.hidden ? film : frames[slider.value]));
  }
}

// What is folded away on the screen belongs on paper.
window.addEventListener('beforeprint', () => {
  document.querySelectorAll('details').forEach((one) => { one.open = true; });
});
