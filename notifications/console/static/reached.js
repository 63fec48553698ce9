// In a list, how many readers have seen what is live.
(() => {
  'use strict';

  const number = new Intl.NumberFormat(document.documentElement.lang);
  const places = new Map([...document.querySelectorAll('[data-reached]')].map((place) => [place.dataset.reached, place]));
  const query = new URLSearchParams([...places.keys()].map((id) => ['id', id]));

  async function ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch(`/api/v1/reach?${query}`, { credentials: 'same-origin', headers: { 'X-Loa-Unattended': '1' } });
      // Who is signed out by now is told so by console.js.
      if (!answer.ok) return;
      for (const { id, rendered } of (await answer.json()).found) {
        const place = places.get(id);
        place.textContent = place.dataset.say.replace('{n}', number.format(rendered));
        place.hidden = false;
      }
    } catch {
      // What was known stays.
    }
  }

  if (places.size) { ask(); setInterval(ask, 5000); }
})();
