// The reach of one announcement as it climbs: figures, a curve over the first minute, and the same as a table.
//
// While it is live the server sends what is new (events); where that is barred, or no more may watch, it is asked.
(() => {
  'use strict';

  const place = document.querySelector('[data-reach]');
  if (!place) return;
  const words = place.dataset;
  const language = document.documentElement.lang;
  const number = new Intl.NumberFormat(language);
  const seconds = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const note = place.querySelector('[data-note]');
  const SVG = 'http://www.w3.org/2000/svg';
  const [WIDEST, HEIGHT, LEFT, BOTTOM, TOP] = [736, 200, 48, 26, 12];
  const LENGTH = 60;

  function element(parent, name, attributes = {}, text = '') {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    if (text) made.textContent = text;
    parent.append(made);
    return made;
  }

  function figures(reach) {
    const shown = [
      [number.format(reach.rendered), words.seen],
      [number.format(reach.received), words.received],
      [number.format(reach.clicked), words.clicked],
      [number.format(reach.dismissed), words.dismissed],
    ];
    for (const [ms, word] of [[reach.p50_ms, words.half], [reach.p99_ms, words.most]]) {
      if (reach.measured && ms !== null && ms !== undefined) shown.push([words.second.replace('{n}', seconds.format(ms / 1000)), word]);
    }
    place.querySelector('[data-figures]').replaceChildren(...shown.map(([figure, word]) => {
      const pair = document.createElement('div');
      const [name, value] = [document.createElement('dt'), document.createElement('dd')];
      name.textContent = word;
      value.textContent = figure;
      pair.append(name, value);
      return pair;
    }));
  }

  /** A round number that is no less, for the top of the scale. */
  function ceiling(most) {
    const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
    return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= most && step >= 1);
  }

  function chart(reach) {
    const every = Object.entries(reach.by_second || []).map(([second, count]) => [Number(second), count]);
    const by = new Map(every);
    let sum = 0;
    const curve = Array.from({ length: LENGTH }, (_, second) => (sum += by.get(second) || 0));
    const room = place.querySelector('[data-chart]');
    const table = place.querySelector('[data-table]');
    table.hidden = !sum;
    if (!sum) { room.replaceChildren(); return; }
    const top = ceiling(sum);
    // As wide as there is room, so that its words are as large as others.
    const width = Math.max(240, Math.min(WIDEST, room.clientWidth || WIDEST));
    const x = (second) => LEFT + (second * (width - LEFT - 8)) / LENGTH;
    const y = (count) => HEIGHT - BOTTOM - (count * (HEIGHT - BOTTOM - TOP)) / top;
    const end = curve.findIndex((count) => count === sum) + 1;
    const summary = words.summary.replace('{n}', number.format(sum)).replace('{s}', String(end));
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', summary);
    for (const share of [0, 0.5, 1]) {
      element(svg, 'line', { x1: LEFT, x2: width - 8, y1: y(top * share), y2: y(top * share), class: 'grid' });
      if (Number.isInteger(top * share)) {
        element(svg, 'text', { x: LEFT - 8, y: y(top * share) + 4, class: 'scale count' }, number.format(top * share));
      }
    }
    for (const second of width < 480 ? [0, 20, 40, 60] : [0, 10, 20, 30, 40, 50, 60]) {
      element(svg, 'text', { x: x(second), y: HEIGHT - 6, class: second === LENGTH ? 'scale count' : 'scale' }, words.second.replace('{n}', String(second)));
    }
    // No further than time has come.
    const now = words.live ? Math.ceil((Date.parse(reach.as_of) - Number(words.sent)) / 1000) : LENGTH;
    const until = Math.max(Math.min(now, LENGTH), end);
    const points = [[0, 0], ...curve.slice(0, until).map((count, second) => [second + 1, count])];
    const line = points.map(([second, count]) => `${x(second).toFixed(1)},${y(count).toFixed(1)}`);
    element(svg, 'polygon', { points: [...line, `${x(until)},${y(0)}`, `${x(0)},${y(0)}`].join(' '), class: 'area' });
    element(svg, 'polyline', { points: line.join(' '), class: 'curve' });
    room.replaceChildren(svg);
    table.querySelector('tbody').replaceChildren(...curve
      .map((count, second) => [second + 1, count])
      .filter(([second, count]) => count !== (curve[second - 2] || 0))
      .map(([second, count]) => {
        const row = document.createElement('tr');
        for (const text of [String(second), number.format(count)]) row.append(Object.assign(document.createElement('td'), { textContent: text }));
        return row;
      }));
    note.textContent = summary;
  }

  function show(reach) {
    note.textContent = '';
    figures(reach);
    chart(reach);
  }

  let asking = 0;
  async function ask() {
    try {
      const answer = await fetch(words.reach, { credentials: 'same-origin', cache: 'no-store', headers: { 'X-Loa-Unattended': '1' } });
      if (answer.status === 404) { clearInterval(asking); note.textContent = words.none; return; }
      if (!answer.ok) throw new Error();
      show(await answer.json());
    } catch {
      note.textContent = words.away;
    }
  }

  function poll() {
    if (!asking) asking = setInterval(() => { if (!document.hidden) ask(); }, 2000);
  }

  function watch() {
    const source = new EventSource(`${words.reach}/stream`);
    source.onmessage = ({ data }) => show(JSON.parse(data));
    // A stream has its length, and comes again by itself; one that was refused does not.
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) poll(); };
    window.addEventListener('pagehide', () => source.close());
    window.addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
  }

  ask().then(() => { if (words.live && note.textContent !== words.none) watch(); });
})();
