// Asks for the live part of the page again and again, until somebody wants to look at it in peace.
(() => {
  'use strict';

  const place = document.querySelector('[data-live]');
  if (!place) return;
  const EVERY_MS = 10000;
  const pause = document.querySelector('[data-pause]');
  const away = document.querySelector('[data-away]');
  let paused = false;
  let asking = false;

  const stops = () => [...place.querySelectorAll('a, [tabindex]')];
  const table = () => place.querySelector('.wide');

  // Whoever is within the part, by the keyboard, and has moved the table, stays where they are.
  function replace(nodes) {
    const at = stops().indexOf(document.activeElement);
    const left = table() ? table().scrollLeft : 0;
    place.replaceChildren(...nodes);
    if (table()) table().scrollLeft = left;
    const again = stops()[at];
    if (again) again.focus({ preventScroll: true });
  }

  async function ask() {
    if (paused || asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(place.dataset.live, { credentials: 'same-origin', cache: 'no-store' });
      // Led elsewhere: nobody is signed in any more.
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error();
      const found = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!paused) replace(found.body.childNodes);
      away.hidden = true;
    } catch {
      away.textContent = away.dataset.away;
      away.hidden = false;
    } finally {
      asking = false;
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
})();
