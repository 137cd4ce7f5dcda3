'use strict';

// Lets the cursor of a chart go where the pointer is, or the arrow keys say.
// x: places of the readings; show(k) tells the k-th of them, rest() none.
function follow(svg, x, show, rest) {
  const cursor = svg.querySelector('.cursor');
  const line = cursor.querySelector('line');
  let current = x.length - 1;

  const go = (index) => {
    current = Math.min(Math.max(index, 0), x.length - 1);
    cursor.removeAttribute('hidden');
    line.setAttribute('x1', x[current]);
    line.setAttribute('x2', x[current]);
    show(current);
  };
  const leave = () => {
    cursor.setAttribute('hidden', '');
    rest();
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
  svg.addEventListener('pointermove', (event) => go(nearest(event)));
  svg.addEventListener('pointerdown', (event) => go(nearest(event)));
  svg.addEventListener('pointerleave', leave);
  svg.addEventListener('blur', leave);
  svg.addEventListener('keydown', (event) => {
    const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (move) {
      event.preventDefault();
      go(current + (cursor.hasAttribute('hidden') ? 0 : move));
    }
  });
}
