// Fills the frames of previews: tells the page in each what to show, in which language, light or dark, wide or narrow.
// A page that changes what is shown (writing.js) sends `loa:banner` to the figure, with the new content.
(() => {
  'use strict';

  for (const figure of document.querySelectorAll('[data-banner]')) {
    const frame = figure.querySelector('iframe');
    const choices = figure.querySelector('[data-choices]');
    const languages = figure.querySelector('[data-languages]');
    let shown = JSON.parse(figure.dataset.banner);
    let at = 0;
    let theme = 'light';

    const text = () => shown.texts[at] || shown.texts[0];

    function tell() {
      if (!frame.contentWindow) return;
      const { severity, test, corrected, at: when } = shown;
      // To anybody: the frame's origin is its own, without a name. It was we who filled it.
      frame.contentWindow.postMessage({ severity, test, corrected, at: when, text: text() }, '*');
    }

    /** The words around the text, and light or dark, are the page's in the frame: another page. */
    function load() {
      const { language } = text();
      const address = `${frame.dataset.src}?theme=${theme}&language=${encodeURIComponent(language)}`;
      if (frame.getAttribute('src') !== address) frame.src = address;
      else tell();
    }

    function press(group, button) {
      for (const each of group.querySelectorAll('button')) each.setAttribute('aria-pressed', String(each === button));
    }

    function offer() {
      if (languages.dataset.of !== JSON.stringify(shown.texts.map(({ name }) => name))) {
        languages.dataset.of = JSON.stringify(shown.texts.map(({ name }) => name));
        languages.replaceChildren(...shown.texts.map(({ name }, number) => {
          const button = document.createElement('button');
          button.type = 'button';
          button.textContent = name || '?';
          button.setAttribute('aria-pressed', String(number === at));
          button.addEventListener('click', () => { at = number; press(languages, button); load(); });
          return button;
        }));
      }
      languages.hidden = shown.texts.length < 2;
    }

    window.addEventListener('message', ({ source, data }) => {
      if (source === frame.contentWindow && data === 'ready') tell();
    });
    figure.addEventListener('loa:banner', ({ detail }) => {
      shown = detail;
      if (at >= shown.texts.length) at = 0;
      offer();
      load();
    });
    for (const button of choices.querySelectorAll('[data-theme], [data-width]')) {
      button.addEventListener('click', () => {
        press(button.parentElement, button);
        if (button.dataset.theme) { theme = button.dataset.theme; load(); }
        if (button.dataset.width) frame.className = button.dataset.width;
      });
    }
    choices.hidden = false;
    offer();
    load();
  }
})();
