// The form an announcement is written with: what it shows follows what is typed. Without this script the form works all
// the same; nothing is checked here that the server does not check.
(() => {
  'use strict';

  const form = document.querySelector('[data-writing]');
  if (!form) return;
  const figure = document.querySelector('.beside [data-banner]');
  const began = JSON.parse(figure.dataset.banner);
  const siteLanguages = JSON.parse(form.dataset.siteLanguages);
  const value = (name) => {
    const field = form.elements.namedItem(name);
    return field ? field.value : '';
  };
  const sites = () => [...form.querySelectorAll('[name=sites]')]
    .filter((box) => box.type === 'hidden' || box.checked).map((box) => box.value);

  /** What belongs to a choice is there while it is chosen. */
  function fold() {
    for (const part of form.querySelectorAll('[data-if]')) {
      const [name, wanted] = part.dataset.if.split('=');
      part.hidden = value(name) !== wanted;
    }
    form.classList.toggle('level-test', value('test') === '1');
    // Who has asked for tests is known to browsers only; how many read is no answer to how many will see one.
    document.querySelector('[data-reach-now]').hidden = value('test') === '1';
  }

  function preview() {
    const site = sites()[0];
    const texts = [...form.querySelectorAll('[data-row]')].map((row) => {
      const { row: number } = row.dataset;
      const select = form.elements.namedItem(`language-${number}`);
      const language = select.value || siteLanguages[site] || document.documentElement.lang;
      const name = select.value ? select.selectedOptions[0].textContent : Number(number) ? '?' : select.options[0].textContent;
      return { language, name, title: value(`title-${number}`), body: value(`body-${number}`), url: value(`url-${number}`) };
    });
    const detail = { severity: value('severity') || 'info', test: value('test') === '1', corrected: began.corrected, at: 0, texts };
    figure.dispatchEvent(new CustomEvent('loa:banner', { detail }));
  }

  function audience() {
    const query = new URLSearchParams();
    for (const site of sites()) query.append('site', site);
    const words = (name) => value(name).split(/[\s,;]+/).filter(Boolean);
    for (const section of words('sections')) query.append('section', section);
    for (const path of value('paths').split('\n').map((line) => line.trim()).filter(Boolean)) query.append('path', path);
    for (const language of words('languages')) query.append('language', language);
    if (form.elements.namedItem('visible').checked) query.append('visible', '1');
    document.dispatchEvent(new CustomEvent('loa:audience', { detail: String(query) }));
  }

  // What was typed and not sent is kept in this tab, for whoever typed it: a session may end, a browser may crash.
  const place = `loa.unsent:${form.dataset.owner}:${location.pathname}`;
  const kept = {
    get() { try { return JSON.parse(sessionStorage.getItem(place)); } catch { return null; } },
    set(fields) { try { sessionStorage.setItem(place, JSON.stringify(fields)); } catch { /* It is kept by the page alone. */ } },
    drop() { try { sessionStorage.removeItem(place); } catch { /* Nothing was kept. */ } },
  };
  const bar = document.querySelector('[data-unsent]');
  const unsent = kept.get();
  if (unsent && form.dataset.fresh) {
    bar.hidden = false;
    bar.querySelector('[data-put-back]').addEventListener('click', () => {
      const again = document.createElement('form');
      again.method = 'post';
      again.action = form.action;
      again.hidden = true;
      for (const [name, text] of [...unsent, ['do', 'again']]) {
        const field = document.createElement('textarea');
        field.name = name;
        field.value = text;
        again.append(field);
      }
      document.body.append(again);
      again.submit();
    });
    bar.querySelector('[data-forget]').addEventListener('click', () => {
      kept.drop();
      bar.hidden = true;
      form.querySelector('input, select, textarea').focus();
    });
  } else if (!form.dataset.fresh) {
    kept.set([...new FormData(form)]);
  }

  // How many characters are left stands beside each field. It is said aloud when they run out, in a pause of the typing.
  const voice = document.createElement('p');
  voice.className = 'unseen';
  voice.setAttribute('role', 'status');
  form.append(voice);
  let pause = 0;
  form.addEventListener('input', ({ target }) => {
    clearTimeout(pause);
    const line = document.querySelector(`[data-limit-of="${target.id}"]`);
    pause = setTimeout(() => {
      const near = line && !line.dataset.counts && Number(line.dataset.limit) * 0.9 < [...target.value].length;
      voice.textContent = near ? line.textContent : '';
    }, 1000);
  });

  let soon = 0;
  form.addEventListener('input', () => {
    fold();
    audience();
    clearTimeout(soon);
    soon = setTimeout(() => { preview(); kept.set([...new FormData(form)]); }, 120);
  });
  form.addEventListener('submit', (event) => {
    clearTimeout(soon);
    // A second press while the first is on its way: harmless, and of no use.
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = '1';
    if (navigator.onLine && ['confirm', 'draft'].includes((event.submitter || {}).value)) kept.drop();
  });
  window.addEventListener('pageshow', () => delete form.dataset.sent);
  fold();
  preview();
  audience();
})();
