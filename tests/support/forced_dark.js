// What Outlook does to a mail when its own dark mode is on: every colour that was written on an
// element has its lightness turned over, and the element is marked, so that rules for [data-ogsc]
// (colour changed) and [data-ogsb] (background changed) can speak. It takes no notice of
// prefers-color-scheme. Outlook for Windows turns colours over and reads no rules at all: look at
// what this leaves when such rules are taken out.
(() => {
  const turned = ([r, g, b]) => {
    const max = Math.max(r, g, b), min = Math.min(r, g, b), sum = max + min;
    return [r, g, b].map(v => Math.round(v + 255 - sum));
  };
  const parts = colour => colour.match(/[\d.]+/g).map(Number);
  const written = colour => { const n = parts(colour); return n.length < 4 || n[3] > 0; };
  const all = [document.documentElement, ...document.querySelectorAll('body, body *')];
  const found = all.map(e => {
    const style = e.getAttribute('style') || '', now = getComputedStyle(e);
    const owns = name => new RegExp(`(^|[;\\s])${name}\\s*:`).test(style);
    return {
      e,
      colour: owns('color') ? now.color : '',
      ground: (owns('background-color') || owns('background')) && written(now.backgroundColor) ? now.backgroundColor : '',
      borders: ['top', 'right', 'bottom', 'left'].filter(side => parseFloat(now[`border-${side}-width`]) > 0)
        .map(side => [side, now.getPropertyValue(`border-${side}-color`)]),
    };
  });
  for (const { e, colour, ground, borders } of found) {
    if (colour) { e.style.color = `rgb(${turned(parts(colour))})`; e.setAttribute('data-ogsc', colour); }
    if (ground) { e.style.backgroundColor = `rgb(${turned(parts(ground))})`; e.setAttribute('data-ogsb', ground); }
    for (const [side, was] of borders) e.style.setProperty(`border-${side}-color`, `rgb(${turned(parts(was))})`);
  }
})();
