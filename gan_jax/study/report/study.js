const owned = (cell) =>
    document.querySelectorAll(`main [data-cell="${cell}"]:not(nav button)`);

// Legend: a click hides a cell everywhere, or brings it back; the pointer or
// the focus on it dims the lines of all others.
const nav = document.querySelector('nav.cells');
if (nav) {
  const all = nav.querySelector('.all');
  const buttons = [...nav.querySelectorAll('button[data-cell]')];
  const show = (button, shown) => {
    button.setAttribute('aria-pressed', shown);
    owned(button.dataset.cell).forEach((one) => {
      one.classList.toggle('off', !shown);
    });
    all.hidden = buttons.every((b) => b.ariaPressed === 'true');
  };
  const light = (button) => {
    const lit = button && button.ariaPressed === 'true';
    document.querySelectorAll('.chart [data-cell]').forEach((one) => {
      one.classList.toggle('dim',
          lit && one.dataset.cell !== button.dataset.cell);
    });
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      show(button, button.ariaPressed !== 'true');
      light(button);
    });
    button.addEventListener('pointerenter', () => light(button));
    button.addEventListener('pointerleave', () => light(null));
    button.addEventListener('focus', () => light(button));
    button.addEventListener('blur', () => light(null));
  }
  all.addEventListener('click', () => {
    buttons.forEach((button) => show(button, true));
    buttons[0].focus({preventScroll: true});
    light(null);
  });
}

// Table: a click on a head sorts, another one turns the order; cells without
// a number stay at the end.
for (const table of document.querySelectorAll('.results table')) {
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll('th[data-first]')];
  const opposite = {ascending: 'descending', descending: 'ascending'};
  const sort = (head) => {
    const order = head.hasAttribute('aria-sort') ?
        opposite[head.getAttribute('aria-sort')] : head.dataset.first;
    const sign = order === 'ascending' ? 1 : -1;
    const value = (row) => {
      const told = row.cells[head.cellIndex].dataset.value;
      return told === undefined ? null : Number(told);
    };
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x - y);
    });
    heads.forEach((one) => one.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', order);
    body.append(...rows);
  };
  heads.forEach((head) => {
    head.querySelector('button').addEventListener('click', () => sort(head));
  });
}

// Charts: the values of all cells at the step under the pointer, topmost
// first; the arrow keys do the same.
const REACH = 6;  // units of the drawing that a value may lie aside
const SVG = 'http://www.w3.org/2000/svg';
for (const svg of document.querySelectorAll('.chart svg[data-readings]')) {
  const {x, step, cells} = JSON.parse(svg.dataset.readings);
  const tip = svg.parentElement.querySelector('.tip');
  const cursor = svg.querySelector('.cursor');
  const line = cursor.querySelector('line');
  const width = svg.viewBox.baseVal.width;

  // Of a cell the nearest step with a value, if it is near enough.
  const nearby = (values, current) => {
    let best = -1;
    for (const way of [-1, 1]) {
      for (let k = current; k >= 0 && k < x.length; k += way) {
        const away = Math.abs(x[k] - x[current]);
        if (away > REACH) break;
        if (values[k] === null) continue;
        if (best < 0 || away < Math.abs(x[best] - x[current])) best = k;
        break;
      }
    }
    return best;
  };
  const entry = (cell, text) => {
    const item = document.createElement('li');
    const tag = document.querySelector(`.paper [data-cell="${cell}"] .tag`);
    const told = document.createElement('span');
    told.textContent = text;
    item.append(tag.cloneNode(true), told);
    return item;
  };
  const dot = (cell, at, y) => {
    const circle = document.createElementNS(SVG, 'circle');
    const key = svg.querySelector(`g[data-cell="${cell}"] [class]`);
    circle.setAttribute('class', key.getAttribute('class')
        .replace(/^\w+/, 'dot'));
    circle.setAttribute('r', 3.5);
    circle.setAttribute('cx', x[at]);
    circle.setAttribute('cy', y);
    return circle;
  };
  const show = (current) => {
    const found = Object.entries(cells)
        .filter(([cell]) => !svg.querySelector(`g[data-cell="${cell}"].off`))
        .map(([cell, {y, words}]) => ({cell, y, words, at: nearby(y, current)}))
        .filter(({at}) => at >= 0)
        .sort((a, b) => a.y[a.at] - b.y[b.at]);
    cursor.replaceChildren(line,
        ...found.map(({cell, y, at}) => dot(cell, at, y[at])));
    const title = document.createElement('b');
    title.textContent = step[current];
    const list = document.createElement('ul');
    list.append(...found.map(({cell, words, at}) => entry(cell, words[at])));
    tip.replaceChildren(title, list);
    tip.hidden = false;
    // Beside the pointer, on the side with more room.
    const scale = svg.getBoundingClientRect().width / width;
    const left = x[current] < width / 2;
    const inset = svg.offsetLeft || parseFloat(
        getComputedStyle(svg.parentElement).paddingLeft);
    tip.style.left = left ? `${x[current] * scale + inset + 10}px` : '';
    tip.style.right =
        left ? '' : `${(width - x[current]) * scale + inset + 10}px`;
  };
  follow(svg, x, show, () => { tip.hidden = true; });
}

// What is folded away on the screen belongs on paper.
window.addEventListener('beforeprint', () => {
  document.querySelectorAll('details').forEach((one) => { one.open = true; });
});
