// The console's own script. Every page works without it; it counts characters, carries the focus, and sees to it that a
// page that lies open is not used, or read, longer than its reader may.
(() => {
  'use strict';

  /** So often an open page asks; what an admin changes must be in force within five seconds. */
  const ASK_MS = 4000;

  for (const line of document.querySelectorAll('[data-limit-of]')) {
    const field = document.getElementById(line.dataset.limitOf);
    const limit = Number(line.dataset.limit);
    // Characters as the server counts them, where an emoji is one; or lines, or words.
    const parts = { lines: /\n/, words: /[\s,;]+/ }[line.dataset.counts];
    const long = () => (parts ? field.value.split(parts).filter((part) => part.trim()) : [...field.value]).length;
    const wrong = field.getAttribute('aria-invalid');
    const count = () => {
      const left = limit - long();
      line.textContent = left < 0
        ? line.dataset.over.replace('{over}', String(-left))
        : line.dataset.left.replace('{left}', String(left));
      line.classList.toggle('over', left < 0);
      if (left < 0 || wrong) field.setAttribute('aria-invalid', 'true');
      else field.removeAttribute('aria-invalid');
    };
    field.addEventListener('input', count);
    count();
  }

  const summary = document.querySelector('[data-focus]');
  if (summary) summary.focus();
  const selected = document.querySelector('[data-select]');
  if (selected) { selected.focus(); selected.select(); }

  // A menu that lies over the page closes as people expect.
  const menu = document.querySelector('details.menu');
  if (menu) {
    menu.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && menu.open) { menu.open = false; menu.querySelector('summary').focus(); }
    });
    document.addEventListener('click', (event) => { if (!menu.contains(event.target)) menu.open = false; });
  }

  const { watch } = document.body.dataset;
  if (!watch) return;

  let typed = false;
  let over = false;
  /** Somebody has done something since the last question: what keeps a session alive is a person, not a page. */
  let attended = false;
  for (const sign of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchmove']) {
    document.addEventListener(sign, () => { attended = true; }, { passive: true });
  }
  document.addEventListener('input', () => { typed = true; });
  // What is being sent is not lost by leaving.
  document.addEventListener('submit', () => { typed = false; });

  const end = (state) => {
    over = true;
    if (!typed) { location.reload(); return; }
    const bar = document.createElement('p');
    bar.className = 'notice wrong fixed';
    bar.setAttribute('role', 'alert');
    bar.textContent = document.body.dataset[state];
    document.body.append(bar);
    for (const button of document.querySelectorAll('main button')) button.disabled = true;
  };

  const ask = async () => {
    const query = `as=${watch}${attended ? '&attended=1' : ''}`;
    attended = false;
    try {
      const answer = await fetch(`/console/session?${query}`, { credentials: 'same-origin', cache: 'no-store' });
      if (answer.ok && !over) {
        const { state } = await answer.json();
        if (state !== 'same') end(state);
      }
    } catch {
      // The service is away or being restarted; it will say at the next time.
    }
  };
  setInterval(() => { if (!over) ask(); }, ASK_MS);
  // A hidden page's clock is slowed down; and one brought back by the back button is old.
  document.addEventListener('visibilitychange', () => { if (!document.hidden && !over) ask(); });
  window.addEventListener('pageshow', (event) => { if (event.persisted) ask(); });
})();
