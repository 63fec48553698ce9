// In a list, how many readers have seen what is live.
(() => {
  'use strict';

  const number = new Intl.NumberFormat(document.documentElement.lang);
  const places = [...document.querySelectorAll('[data-reached]')];

  async function ask() {
    if (document.hidden) return;
    for (const place of places) {
      try {
        const answer = await fetch(`/api/v1/announcements/${place.dataset.reached}/reach`, { credentials: 'same-origin', headers: { 'X-Loa-Unattended': '1' } });
        // Who is signed out by now is told so by console.js, and need not be told for each line of the list.
        if (answer.status === 401) return;
        if (!answer.ok) continue;
        const { rendered } = await answer.json();
        place.textContent = place.dataset.say.replace('{n}', number.format(rendered));
        place.hidden = false;
      } catch {
        // What was known stays.
      }
    }
  }

  if (places.length) { ask(); setInterval(ask, 5000); }
})();
