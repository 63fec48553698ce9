// @ts-check
/**
 * Shows how many readers are here: `<loa-counter></loa-counter>`, "5.716 người đang online".
 *
 * Written in the language of the page around it, Vietnamese or English (any other page: English); the number as
 * that language writes it. It looks like the text it stands in. To change that: `::part(number)`, `::part(text)`, the
 * variables `--loa-number-color` and `--loa-number-weight`, and `loa-counter[stale]` while the number is the last one
 * known rather than the present one.
 *
 * Never shows 0 for "not known": before the first number it is blank and holds the room a number takes, so that
 * nothing moves; afterwards it keeps the last one. It is no live region: a number that changes every second must
 * not be read aloud.
 *
 * What few pages need is in the supplement (words.js, stats.js): what attributes ask for, `<loa-stats>`, and how a site
 * writes small numbers. It is fetched once a page turns out to need it, and then takes the elements over.
 */

/**
 * What has been heard of the site's readers.
 *
 * @typedef {object} Heard
 * @property {number | null} online  null: not known.
 * @property {string} [as_of]  When that was true, by the server's clock.
 * @property {boolean} stale  It may not be true any more.
 * @property {number} [small]  Smaller numbers are not said exactly.
 */

halves.push(function counter(wire) {
  const WORDS = { vi: ['# người đang online', 'Số liệu lúc #'], en: ['# readers online', 'As of #'] };
  // Room is held for a number of four digits, or of as many as there are. Drawn before the text and without height; a
  // shade wider than its text, since the number is a run of its own and each run is rounded to a 64th of a pixel.
  const STYLE = `
span{display:inline-block;white-space:nowrap;font-variant-numeric:tabular-nums}
span::before{content:attr(data-room);display:block;height:0;visibility:hidden;padding-inline-end:.1px;font-weight:var(--loa-number-weight)}
bdi{font-weight:var(--loa-number-weight);color:var(--loa-number-color)}
:host([stale]) bdi{text-decoration:underline dotted}`;
  // All that needs no supplement.
  const PLAIN = /^(class|id|style|stale)$/;

  /** @type {Heard} */
  const heard = { online: null, stale: false };
  /** @type {Set<Counter>} */
  const shown = new Set();
  class Counter extends HTMLElement {
    constructor() {
      super();
      this.text = document.createElement('span');
      // Apart from the words around it, whichever way they run.
      this.number = document.createElement('bdi');
      this.text.setAttribute('part', 'text');
      this.number.setAttribute('part', 'number');
      const root = this.attachShadow({ mode: 'open' });
      root.append(this.text);
      try {
        // Unlike a style element, this needs no leave from a content security policy.
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      } catch {
        // An older browser: a plain number, for which no room is held.
      }
    }

    connectedCallback() {
      shown.add(this);
      show();
    }

    disconnectedCallback() {
      shown.delete(this);
    }

    show() {
      const language = languageOf(this);
      const online = plain(this) ? heard.online : null;
      // Of one reader English alone says another word.
      const [words, since] = WORDS[language];
      this.write(online === 1 ? words.replace('rs', 'r') : words, online, language, since);
    }

    /**
     * @param {string} words  With a # for the number.
     * @param {any} online  null: not known.
     * @param {string} language
     * @param {string} since  Words for a number of before, with a # for the time.
     * @param {any} [number]  How old it is, as in `heard`.
     * @param {(number: number) => string} [written]
     */
    write(words, online, language, since, { stale, as_of } = heard, written = new Intl.NumberFormat(language).format) {
      const { text, number } = this;
      const [before, after = ''] = words.split('#');
      const unknown = online === null;
      const said = unknown ? '\u00a0' : before + written(online) + after;
      const old = stale && !unknown;
      this.toggleAttribute('stale', old);
      text.lang = language;
      text.title = old ? since.replace('#', new Date(as_of).toLocaleTimeString(language)) : '';
      text.dataset.room = before + written(Math.max(1000, online)) + after;
      // Only what changed is touched: a reader may be marking the text.
      if (text.textContent === said) return;
      number.textContent = written(online);
      text.textContent = '';
      text.append(...(unknown ? [said] : [before, number, after]));
    }
  }

  /**
   * Whether it is ours to write, not the supplement's.
   *
   * @param {Element} element
   */
  function plain(element) {
    return !heard.small && element.getAttributeNames().every((name) => PLAIN.test(name));
  }

  function show() {
    shown.forEach((each) => each.show());
    if (document.querySelector('loa-stats') || ![...shown].every(plain)) fetchSupplement();
  }

  /** @param {any} message  Whosever number it is. */
  function hear({ scope, online, as_of, stale }) {
    if (scope) return;
    if (online != null) {
      heard.online = online;
      heard.as_of = as_of;
    }
    heard.stale = !!stale;
    show();
  }

  wire.on('welcome', (message) => {
    heard.small = message.small;
    hear(message);
  });
  wire.on('presence', hear);
  // An element that came meanwhile is found.
  wire.on('tick', show);
  wire.on('lost', () => hear({ stale: true }));
  Object.assign(supplied, { Counter, wire, heard, show, script, languageOf });
  if (!customElements.get('loa-counter')) customElements.define('loa-counter', Counter);
  document.addEventListener('DOMContentLoaded', show);
  show();
});
