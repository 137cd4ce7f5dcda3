// Charts: the legend reads out the step under the pointer or arrow keys.
for (const svg of document.querySelectorAll('.chart svg')) {
  const {x, step, lines} = JSON.parse(svg.dataset.readings);
  const figure = svg.closest('figure');
  const outputs = [...figure.querySelectorAll('output')];
  const resting = outputs.map((output) => output.textContent);
  const at = figure.querySelector('.at');
  const dots = [...svg.querySelectorAll('.cursor circle')];

  const show = (current) => {
    at.textContent = step[current];
    lines.forEach(({y, words}, k) => {
      const known = y[current] !== null;
      dots[k].style.visibility = known ? '' : 'hidden';
      if (known) {
        dots[k].setAttribute('cx', x[current]);
        dots[k].setAttribute('cy', y[current]);
      }
      outputs[k].textContent = known ? words[current] : '–';
    });
  };
  follow(svg, x, show, () => {
    at.textContent = '';
    outputs.forEach((output, k) => { output.textContent = resting[k]; });
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
