// What a designer measures on a page: a list of faults, empty when there is none.
() => {
  const faults = [];
  const called = e => e.tagName.toLowerCase() + ' "' + (e.innerText || e.value || e.name || '').trim().slice(0, 40) + '"';
  const shown = e => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    return box.width > 1 && box.height > 1 && style.visibility !== 'hidden'
      && !e.closest('.trap, .out-of-sight, .skip, details:not([open]) > :not(summary)');
  };
  const parts = colour => { const n = colour.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0.5) return colour;
    }
    return [255, 255, 255, 1];
  };
  const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());

  if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the screen');
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e) || !hasText(e)) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    if (size < 14) faults.push(`letters of ${size} px: ${called(e)}`);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = contrast(parts(style.color), ground(e));
    if (ratio < (isLarge ? 3 : 4.5) && !e.closest('[disabled]')) faults.push(`contrast ${ratio.toFixed(2)}: ${called(e)}`);
  }
  for (const e of document.querySelectorAll('a, button, input, select, textarea, summary')) {
    if (!shown(e) || e.type === 'hidden' || e.closest('.tick')) continue;
    const isInText = e.tagName === 'A' && (e.closest('h1, h2, h3, dd, p.meta:not(.onward)')
      || [...e.parentElement.childNodes].some(n => n.nodeType === 3 && n.data.trim().length > 2));
    const height = e.getBoundingClientRect().height;
    if (height < 43.9 && !isInText) faults.push(`target of ${height.toFixed(0)} px: ${called(e)}`);
  }
  for (const e of document.querySelectorAll('input, select, textarea')) {
    if (e.type === 'hidden') continue;
    if (!(e.labels && e.labels.length) && !e.getAttribute('aria-label')) faults.push(`no label: ${called(e)}`);
    if (shown(e) && !['checkbox', 'radio'].includes(e.type)) {
      if (parseFloat(getComputedStyle(e).fontSize) < 16) faults.push(`a phone zooms in: ${called(e)}`);
      if (contrast(parts(getComputedStyle(e).borderTopColor), ground(e)) < 3) faults.push(`faint border: ${called(e)}`);
    }
  }
  for (const e of document.querySelectorAll('button')) {
    const lines = new Set([...e.childNodes].filter(n => n.nodeType === 3 && n.data.trim()).flatMap(n => {
      const range = document.createRange();
      range.selectNodeContents(n);
      return [...range.getClientRects()].map(box => Math.round(box.top));
    }));
    if (shown(e) && lines.size > 1 && !e.matches('.offer')) faults.push(`a button of ${lines.size} lines: ${called(e)}`);
  }
  for (const list of document.querySelectorAll('dl.facts')) {
    const starts = tag => new Set([...list.querySelectorAll(tag)].map(e => Math.round(e.getBoundingClientRect().left)));
    if (shown(list) && starts('dd').size > 1) faults.push(`values in several columns: ${called(list)}`);
  }
  const heads = document.querySelectorAll('h1').length;
  if (heads !== 1) faults.push(`${heads} first headings`);
  let before = 0;
  for (const e of document.querySelectorAll('h1, h2, h3, h4')) {
    const level = +e.tagName[1];
    if (before && level > before + 1) faults.push(`h${before} is followed by h${level}: ${called(e)}`);
    before = level;
  }
  if (document.querySelectorAll('main, [role=main]').length !== 1) faults.push('not one main part');
  if (!document.documentElement.lang) faults.push('no language');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two of #${id}`);
  for (const e of document.querySelectorAll('[aria-describedby], [aria-labelledby]'))
    for (const id of `${e.getAttribute('aria-describedby') || ''} ${e.getAttribute('aria-labelledby') || ''}`.trim().split(/\s+/))
      if (!document.getElementById(id)) faults.push(`nothing is #${id}`);
  return [...new Set(faults)];
}
