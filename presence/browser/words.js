// @ts-check
/**
 * What attributes ask of a counter: another scope, other words, a way to stop it. First half of the supplement.
 *
 * `scope` says whose readers are shown: of the `site`, the `section`, this `page`; or those of the site who are
 * `reading`, `idle`, or have it in the `background`. `text="# lecteurs en ligne"` and `text-one`, `text-few`, … (the
 * plural categories of CLDR) are words of the page's own, in the language of the place. With `pausable` there is a
 * button, `::part(pause)`, by which a reader stops the changing (WCAG 2.2, 2.2.2); while the element has `paused` the
 * number stands, and is marked as one of before. Numbers below the site's `small_counts` are not said exactly.
 *
 * Any other attribute is ignored, with one warning in the console for each kind of element.
 */

const { Counter, wire, heard, show, script, languageOf } = /** @type {any} */ (document.currentScript).loa;

const SCOPES = ['site', 'section', 'page', 'reading', 'idle', 'background'];
/** @type {Record<string, string[]>} */
const READERS = {
  vi: [
    '# người đang online',
    '# người đang đọc chuyên mục này',
    '# người đang đọc bài này',
    '# người đang đọc',
    '# người đang tạm ngừng',
    '# người để trang chạy nền',
  ],
  en: [
    '# readers online',
    '# readers in this section',
    '# readers on this page',
    '# reading now',
    '# idle',
    '# in the background',
  ],
};
/** @type {Record<string, Record<string, string>>} */
const WORDS = {
  vi: { since: 'Số liệu lúc #', small: 'dưới #', pause: 'Tạm dừng', resume: 'Tiếp tục' },
  en: { since: 'As of #', small: 'fewer than #', pause: 'Pause', resume: 'Resume' },
};
// What any element may have besides what HTML gives all of them, and what ours have.
const ANYBODYS = /^(aria-|data-|item|[^a-z]|(class|role|tabindex|accesskey|contenteditable|exportparts|is)$)/;
const OURS = /^(stale|paus(ed|able)|text(-.+)?)$/;
const STYLE = `
button{all:unset;margin-inline-start:.6em;text-decoration:underline;cursor:pointer}
button:focus-visible{outline:2px solid}`;

/** By scope, besides the site's; absent: not known. @type {Record<string, number>} */
const readers = {};
let at = wire.place();
const asked = new Set();
const warned = new Set();

/**
 * A sheet for what is shown, if the browser lets us make one.
 *
 * @param {ShadowRoot} root
 * @param {string} style
 */
function dress(root, style) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  } catch {
    // An older browser: as it draws things by itself.
  }
}

/** What all elements of ours can; those of the plain counter are replaced. @type {any} */
const ability = {
  /** Its own attributes, besides those of all. */
  own: ['scope'],

  show() {
    if (!this.button) this.equip();
    const names = this.getAttributeNames();
    const paused = this.hasAttribute('paused');
    for (const name of names) {
      if (!(name in HTMLElement.prototype || ANYBODYS.test(name) || OURS.test(name) || this.own.includes(name))) {
        this.warn(name);
      }
    }
    this.language = languageOf(this);
    // Of numbers, and of the page's words if it has any.
    this.locale = this.language;
    try {
      const { lang } = this.closest('[lang]') || document.documentElement;
      if (/(^|,)text/.test(String(names)) && lang) [this.locale] = Intl.getCanonicalLocales(lang.replace(/_/g, '-'));
    } catch {
      // It names no language.
    }
    const present = this.take();
    if (!(paused && present && this.held)) this.held = present;
    this.button.lang = this.locale;
    this.button.textContent = this.words(paused ? 'resume' : 'pause');
    if (!this.hasAttribute('pausable')) this.button.remove();
    else if (!this.button.isConnected) this.shadowRoot.append(this.button);
    const number = this.held && { stale: !!(paused || heard.stale || this.held.stale), as_of: this.held.as_of };
    this.draw(number || heard);
  },

  equip() {
    this.button = document.createElement('button');
    this.button.setAttribute('part', 'pause');
    this.button.onclick = () => this.toggleAttribute('paused');
    dress(this.shadowRoot, STYLE);
    new MutationObserver(() => this.show()).observe(this, { attributes: true });
  },

  /** @returns {any} The present figures; null: not known. */
  take() {
    const scope = this.choice('scope', SCOPES);
    this.at = SCOPES.indexOf(scope);
    const word = this.at > 2 ? 'states' : scope;
    if (this.at && !asked.has(word)) {
      asked.add(word);
      wire.show(word);
    }
    const online = this.at ? readers[scope] : heard.online;
    return typeof online === 'number' ? { online, as_of: heard.as_of } : null;
  },

  /** @param {{ stale: boolean, as_of: string }} number  What is said of the figures held. */
  draw(number) {
    const online = this.held ? this.held.online : null;
    const category = new Intl.PluralRules(this.locale).select(Math.max(online || 0, heard.small || 0));
    const usual = READERS[this.language][this.at];
    const ours = category === 'one' ? usual.replace('readers', 'reader') : usual;
    const words = this.getAttribute('text-' + category) || this.getAttribute('text') || ours;
    this.write(words, online, this.locale, this.words('since'), number, (each) => this.written(each));
  },

  /** @param {string} name */
  words(name) {
    return this.getAttribute('text-' + name) || WORDS[this.language][name];
  },

  /** @param {number} number */
  written(number) {
    const { format } = new Intl.NumberFormat(this.locale);
    return number < heard.small ? this.words('small').replace('#', format(heard.small)) : format(number);
  },

  /**
   * @param {string} name  Of an attribute.
   * @param {string[]} choices  The first is usual.
   */
  choice(name, choices) {
    const value = this.getAttribute(name) || choices[0];
    if (choices.includes(value)) return value;
    this.warn(`${name}="${value}"`);
    return choices[0];
  },

  /** @param {string} what */
  warn(what) {
    if (!warned.has(this.localName)) console.warn(`<${this.localName}>: ${what} is not known, and ignored`);
    warned.add(this.localName);
  },
};
Object.assign(Counter.prototype, ability);

/** @param {any} message  The numbers of one scope. */
function hear(message) {
  // One of another place is for another tab, or comes too late.
  if (['path', 'section'].some((name) => name in message && message[name] !== at[name])) return;
  for (const scope of SCOPES) {
    const told = message[scope === message.scope ? 'online' : scope];
    if (typeof told === 'number') readers[scope] = told;
  }
}

wire.on('welcome', show);
wire.on('presence', (/** @type {any} */ message) => {
  if (!message.scope) return;
  hear(message);
  show();
});
wire.on('moved', () => {
  const { path, section } = wire.place();
  if (path !== at.path) delete readers.page;
  if (section !== at.section) delete readers.section;
  at = { path, section };
  show();
});
