// @ts-check
/**
 * The block of figures that portals have at the foot of a page: `<loa-stats></loa-stats>`.
 *
 * Readers at present, live; visits of today, yesterday, this week, this month, in all; and the record with its date.
 * `metric="views"` shows page views instead of visits; `rows="online,today,total"` which rows, in this order;
 * `text-today="Aujourd’hui"` names one. To restyle: `::part(row)`, `label`, `number`, `date`, `pause`, the variables
 * `--loa-number-color`, `--loa-number-weight`, `--loa-row-padding` and `--loa-row-border`. Language, pausing and what
 * is stale are the counter's, from which it is made.
 *
 * Second half of the supplement. Asks the server once that has greeted the page, once more some seconds later if today
 * has no more visits than readers are here, and again about once a minute, at times that differ between browsers, so also
 * soon after the site's midnight; not while the page is hidden, nor if no such element is in it. If there is no answer,
 * the last figures stay, and it asks less often.
 */

const PERIOD = 60000;
const SOON = 2000;
const ROWS = ['online', 'today', 'yesterday', 'week', 'month', 'total', 'record'];
/** @type {Record<string, string[]>} */
const LABELS = {
  vi: ['Đang truy cập', 'Hôm nay', 'Hôm qua', 'Tuần này', 'Tháng này', 'Tổng lượt truy cập', 'Kỷ lục'],
  en: ['Online now', 'Today', 'Yesterday', 'This week', 'This month', 'Total visits', 'Record'],
};
/** @type {Record<string, string>} */
const VIEWS = { vi: 'Tổng lượt xem trang', en: 'Total page views' };
// Room is held for a number of nine digits. In a narrow column a figure stands below its label.
const BLOCK = `
:host{display:block}
dl,dt,dd{margin:0}
div{display:flex;flex-wrap:wrap;justify-content:space-between;column-gap:1em;padding-block:var(--loa-row-padding,.2em);border-block-end:var(--loa-row-border)}
dd{flex:auto;min-width:5.6em;text-align:end;white-space:nowrap;color:var(--loa-number-color);font-weight:var(--loa-number-weight);font-variant-numeric:tabular-nums}
:host([stale]) dd{text-decoration:underline dotted}
span{white-space:normal}
time{white-space:nowrap}
time:not([datetime]){visibility:hidden}
button{margin-block-start:.4em;margin-inline-start:0}`;

/** What was answered last. @type {any} */
let answer = null;
// Whether the server has greeted the page, and is there.
let live = heard.online !== null && !heard.stale;
let blocks = 0;
let failures = 0;
let early = true;
let due = 0;
let timer = 0;

/** Asks for the figures if it is time to and somebody sees them; and sees to it that this is done again. */
function ask() {
  clearTimeout(timer);
  if (!live || !blocks || document.hidden) return;
  const wait = due - Date.now();
  if (wait > 0) {
    // Timers stand still while a computer sleeps, so none is long.
    timer = window.setTimeout(ask, Math.min(wait, PERIOD));
    return;
  }
  due = Date.now() + PERIOD * (0.75 + Math.random() / 2) * 2 ** failures;
  ask();
  fetch(new URL(`api/v1/sites/${script.dataset.site}/stats`, script.src).href)
    .then((response) => response.json())
    .then((document) => {
      // A refusal is a document, too.
      if (typeof document.today !== 'object') throw document;
      answer = document;
      failures = 0;
      // On a new site: the visit of this reader is written down a moment after the page was greeted.
      if (early && (answer.today || {}).visits <= heard.online) {
        due = Date.now() + SOON * (1 + Math.random());
        ask();
      }
      early = false;
    })
    .catch(() => {
      failures = Math.min(failures + 1, 5);
      if (answer) answer.stale = true;
    })
    .then(show);
}

/** Writes only what changed: a reader may be marking the text. */
function write(/** @type {any} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} name
 * @param {string} part
 * @param {...any} content
 */
function made(name, part, ...content) {
  const element = document.createElement(name);
  if (part) element.setAttribute('part', part);
  element.append(...content);
  return element;
}

class Stats extends Counter {
  constructor() {
    super();
    this.own = ['metric', 'rows'];
    this.list = document.createElement('dl');
    this.text.replaceWith(this.list);
    this.rows = '';
  }

  equip() {
    super.equip();
    dress(this.shadowRoot, BLOCK);
  }

  connectedCallback() {
    super.connectedCallback();
    blocks++;
    ask();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    blocks--;
  }

  take() {
    const { online, as_of } = heard;
    if (online === null) return answer;
    return { ...answer, online, as_of: answer && answer.stale ? answer.as_of : as_of };
  }

  /** @param {{ stale: boolean, as_of: string }} number  What is said of the figures held. */
  draw({ stale, as_of }) {
    const held = this.held || {};
    const old = !!this.held && !!stale;
    const time = new Date(as_of).toLocaleTimeString(this.locale, /** @type {any} */ ({ timeStyle: 'short' }));
    this.toggleAttribute('stale', old);
    this.list.lang = this.locale;
    this.list.title = old ? this.words('since').replace('#', time) : '';
    const views = this.choice('metric', ['visits', 'views']) === 'views';
    const rows = (this.getAttribute('rows') || String(ROWS)).split(/[\s,]+/).filter((row) => {
      if (row && !ROWS.includes(row)) this.warn(`rows="${row}"`);
      return ROWS.includes(row);
    });
    if (this.rows !== String(rows)) {
      this.rows = String(rows);
      this.list.textContent = '';
      rows.forEach((row) => this.list.append(this.row(row)));
    }
    rows.forEach((row, index) => {
      const [label, number] = this.list.children[index].children;
      const figures = held[row] || {};
      const figure =
        row === 'online' ? held.online : figures[row === 'record' ? 'online' : views ? 'views' : 'visits'];
      const ours = views && row === 'total' ? VIEWS[this.language] : LABELS[this.language][ROWS.indexOf(row)];
      write(label.firstChild, this.getAttribute('text-' + row) || ours);
      write(number, typeof figure === 'number' ? this.written(figure) : '\u00a0');
      if (row === 'record') this.date(label.lastChild, held.timezone, figures.at);
    });
  }

  /** @param {string} row */
  row(row) {
    const label = made('dt', 'label', made('span', ''));
    if (row === 'record') label.append(' ', made('time', 'date'));
    return made('div', 'row', label, made('dd', 'number'));
  }

  /**
   * @param {any} time
   * @param {string | undefined} timeZone
   * @param {string | undefined} at
   */
  date(time, timeZone, at) {
    const english = this.locale === 'en';
    // Until it is known, today's holds its room.
    const day = at ? new Date(at) : new Date();
    if (at) time.dateTime = at;
    // English alone does not say which comes first, the day or the month.
    const how = { timeZone, dateStyle: english ? 'medium' : undefined };
    try {
      write(time, day.toLocaleDateString(english ? 'en-GB' : this.locale, /** @type {any} */ (how)));
    } catch {
      // The browser does not know the site's time zone.
      write(time, '');
    }
  }
}

wire.on('lost', () => {
  live = false;
});
for (const sign of ['welcome', 'presence']) {
  wire.on(sign, () => {
    live = true;
    ask();
  });
}
document.addEventListener('visibilitychange', ask);
// Only now, when each can do what is asked of it.
show();
if (!customElements.get('loa-stats')) customElements.define('loa-stats', /** @type {any} */ (Stats));
