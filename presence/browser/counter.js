// @ts-check
/**
 * Shows how many readers are here: `<loa-counter></loa-counter>`, "5.716 người đang online".
 *
 * Written in the language of the page around it, Vietnamese or English (any other page: English); the number as
 * that language writes it. It looks like the text it stands in. To change that: `::part(number)`, `::part(text)`, and
 * `loa-counter[stale]` while the number is the last one known rather than the present one.
 *
 * Never shows 0 for "not known": before the first number it is blank and holds the room a number takes, so that
 * nothing moves; afterwards it keeps the last one. It is no live region: a number that changes every second must
 * not be read aloud.
 */

halves.push(function counter(wire) {
  const READERS = {
    vi: { one: '# người đang online', other: '# người đang online' },
    en: { one: '# reader online', other: '# readers online' },
  };
  const AS_OF = { vi: 'Số liệu lúc #', en: 'As of #' };
  // Room is held for a number of four digits, or of as many as there are. Drawn before the text and without height; a
  // shade wider than its text, since the number is a run of its own and each run is rounded to a 64th of a pixel.
  const STYLE = `
span{display:inline-block;white-space:nowrap}
span::before{content:attr(data-room);display:block;height:0;overflow:hidden;visibility:hidden;padding-inline-end:.1px}
span,span::before{font-variant-numeric:tabular-nums}
:host([stale]) b{text-decoration:underline dotted}
b{font-weight:inherit}`;

  /** @type {Set<Counter>} */
  const counters = new Set();
  /** @type {number | null} */
  let online = null;
  let asOf = '';
  let stale = false;

  class Counter extends HTMLElement {
    constructor() {
      super();
      this.text = document.createElement('span');
      this.number = document.createElement('b');
      this.text.setAttribute('part', 'text');
      this.number.setAttribute('part', 'number');
      this.text.append('\u00a0');
      const root = this.attachShadow({ mode: 'open' });
      root.append(this.text);
      try {
        // Unlike a style element, this needs no leave from a content security policy.
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      } catch {
        // An older browser: a plain number, for which no room is held.
        this.number.style.fontWeight = 'inherit';
      }
    }

    connectedCallback() {
      counters.add(this);
      this.show();
    }

    disconnectedCallback() {
      counters.delete(this);
    }

    show() {
      const language = languageOf(this);
      const format = new Intl.NumberFormat(language);
      this.text.lang = language;
      const sample = Math.max(1000, online || 0);
      const room = READERS[language].other.replace('#', format.format(sample));
      if (this.text.dataset.room !== room) this.text.dataset.room = room;
      if (online === null) return;
      const { one, other } = READERS[language];
      const [before, after] = (new Intl.PluralRules(language).select(online) === 'one' ? one : other).split('#');
      const number = format.format(online);
      // Only what changed is touched: a reader may be marking the text.
      if (this.text.textContent !== before + number + after) {
        this.number.textContent = number;
        this.text.textContent = '';
        this.text.append(before, this.number, after);
      }
      this.toggleAttribute('stale', stale);
      const time = new Date(asOf);
      this.text.title =
        stale && +time
          ? AS_OF[language].replace('#', time.toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' }))
          : '';
    }
  }

  function show() {
    counters.forEach((each) => each.show());
  }

  /** @param {{ online?: number | null, as_of?: string, stale?: boolean }} message */
  function hear(message) {
    if (typeof message.online === 'number') {
      online = message.online;
      asOf = message.as_of || '';
    }
    stale = !!message.stale;
    show();
  }

  wire.on('welcome', hear);
  wire.on('presence', hear);
  wire.on('lost', () => {
    stale = true;
    show();
  });
  if (!customElements.get('loa-counter')) customElements.define('loa-counter', Counter);
});
