// How many readers an audience has right now. All that is known of where to ask stands here.
//
// `GET /api/v1/audience` knows sections and paths. Where it is not to be had, the number of all readers of the sites is
// told instead, and said to be that.
(() => {
  'use strict';

  const AUDIENCE = '/api/v1/audience';
  const PRESENCE = (site) => `/api/v1/sites/${encodeURIComponent(site)}/presence`;
  const EVERY_MS = 2000;

  async function json(address) {
    const answer = await fetch(address, { credentials: 'same-origin', cache: 'no-store', headers: { 'X-Loa-Unattended': '1' } });
    if (!answer.ok) throw Object.assign(new Error(), { status: answer.status });
    return answer.json();
  }

  let rough = false;

  async function readers(query) {
    if (!rough) {
      try {
        return await json(`${AUDIENCE}?${query}`);
      } catch ({ status }) {
        // What cannot be asked yet, a glob half typed, is no reason to ask elsewhere.
        if (status === 422) return null;
        if (status !== 404) throw new Error();
        rough = true;
      }
    }
    const sites = new URLSearchParams(query).getAll('site');
    const found = await Promise.all(sites.map((site) => json(PRESENCE(site))));
    return { readers: found.reduce((sum, { online }) => sum + (online || 0), 0), exact: true, rough: true };
  }

  for (const place of document.querySelectorAll('[data-reach-now]')) {
    const figure = place.querySelector('[data-figure]');
    const note = place.querySelector('[data-note]');
    const words = place.dataset;
    const number = new Intl.NumberFormat(document.documentElement.lang);
    let query = words.query;
    let asked = 0;

    function write(text, more = '') {
      if (figure.textContent !== text) figure.textContent = text;
      if (note.textContent !== more) note.textContent = more;
    }

    async function ask() {
      if (document.hidden) return;
      const mine = (asked += 1);
      if (!new URLSearchParams(query).has('site')) { write('–', words.choose); return; }
      try {
        const found = await readers(query);
        if (mine !== asked || !found) return;
        const some = found.exact || found.languages_not_known ? words.some : words.about;
        const notes = [];
        if (found.pages) notes.push(words.pages.replace('{n}', number.format(found.pages)));
        if (found.rough) notes.push(words.rough);
        if (found.languages_not_known) notes.push(words.languages);
        write(found.readers ? some.replace('{n}', number.format(found.readers)) : words.nobody, notes.join(' · '));
      } catch {
        if (mine === asked) write(words.away);
      }
    }

    let soon = 0;
    document.addEventListener('loa:audience', ({ detail }) => {
      if (query === detail) return;
      query = detail;
      clearTimeout(soon);
      soon = setTimeout(ask, 300);
    });
    document.addEventListener('visibilitychange', ask);
    setInterval(ask, EVERY_MS);
    ask();
  }
})();
