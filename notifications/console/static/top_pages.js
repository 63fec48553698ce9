// The most read pages of a site, asked for again and again until somebody wants to read them in peace.
(() => {
  'use strict';

  const place = document.querySelector('[data-pages]');
  if (!place) return;
  const words = place.dataset;
  const language = document.documentElement.lang;
  const number = new Intl.NumberFormat(language);
  const change = new Intl.NumberFormat(language, { signDisplay: 'exceptZero' });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium', timeZone: words.zone });
  const EVERY_MS = 5000;
  const state = place.querySelector('[data-state]');
  const pause = place.querySelector('[data-pause]');
  const body = place.querySelector('tbody');
  let asOf = '';
  let paused = false;

  function cell(row, text, kind) {
    const made = document.createElement('td');
    made.textContent = text;
    if (kind) made.className = kind;
    row.append(made);
    return made;
  }

  function show({ pages, as_of: at, complete }) {
    asOf = clock.format(new Date(at));
    state.textContent = [words.asOf.replace('{time}', asOf), complete ? '' : words.incomplete, pages.length ? '' : words.empty]
      .filter(Boolean).join(' · ');
    const most = Math.max(1, ...pages.map(({ readers }) => readers));
    body.replaceChildren(...pages.map((page, rank) => {
      const row = document.createElement('tr');
      cell(row, number.format(rank + 1), 'number rank');
      const path = cell(row, '', 'path');
      path.append(Object.assign(document.createElement('span'), { textContent: page.path }));
      const bar = document.createElement('meter');
      bar.max = most;
      bar.value = page.readers;
      bar.setAttribute('aria-hidden', 'true');
      path.append(bar);
      cell(row, number.format(page.readers), 'number readers');
      const text = page.change === null ? '–' : page.change ? change.format(page.change) : words.same;
      cell(row, text, `number change ${page.change > 0 ? 'more' : page.change < 0 ? 'fewer' : 'same'}`);
      return row;
    }));
  }

  async function ask() {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(words.pages, { credentials: 'same-origin', cache: 'no-store', headers: { 'X-Loa-Unattended': '1' } });
      if (!answer.ok) throw new Error();
      const found = await answer.json();
      if (!paused) show(found);
    } catch {
      state.textContent = asOf ? words.away.replace('{time}', asOf) : words.never;
    }
  }

  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    ask();
  });
  document.addEventListener('visibilitychange', ask);
  setInterval(ask, EVERY_MS);
  ask();
})();
