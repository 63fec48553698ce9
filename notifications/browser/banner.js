// @ts-check
/**
 * Shows announcements: cards at the foot of the window, over the page, which is not moved.
 *
 * What is shown follows from what was heard, in whatever order and however often (docs/protocol.md, "announcement"):
 * the highest revision of each, recalled winning ties; not expired by the server's clock, not dismissed here. The three
 * most severe stand there, newest first among equals; the rest wait behind "n more".
 *
 * Two live regions in the page itself, empty until there is something to say: `alert` for what is breaking or an
 * emergency and comes while the page is read, `status` for all else, also for what was active before the page was
 * opened. An update changes the card where it stands. The focus is never taken; where a card goes that had it, it
 * returns to where it was. A dismissal holds in all tabs of the site until a revision asks to be shown again.
 *
 * Everything in an announcement is plain text, and its link is checked again here. The styles need no leave from a
 * content security policy; they neither touch the page's nor give way to them.
 */

/**
 * @typedef {object} Announcement
 * @property {string} id
 * @property {number} revision
 * @property {'live' | 'recalled'} status
 * @property {string} severity
 * @property {string} title
 * @property {string} body
 * @property {string} url
 * @property {string} published_at
 * @property {string} updated_at
 * @property {string} expires_at
 * @property {number} again
 */

halves.push(function banner(wire) {
  // In a frame as small as a counter there is no room for one, and the page around it may have its own.
  if (script && script.dataset.banner === 'off') return;
  const SHOWN = 3;
  const REMEMBERED = 50;
  const URGENT = 2;
  const SEVERITIES = ['info', 'notice', 'breaking', 'emergency'];
  const WORDS = {
    vi: {
      severities: ['Thông tin', 'Thông báo', 'Tin nóng', 'Khẩn cấp'],
      updated: 'cập nhật #',
      link: 'Xem chi tiết',
      close: 'Đóng',
      more: 'Xem thêm # thông báo',
    },
    en: {
      severities: ['Information', 'Notice', 'Breaking', 'Emergency'],
      updated: 'updated #',
      link: 'Read more',
      close: 'Close',
      more: '# more',
    },
  };
  // "&" is written out as a selector that weighs more than a page's, and every declaration is made important: a page
  // that styles "div", "button" or "*" does not reach in; only one that means to can. All starts from nothing.
  const STYLE = `
&{all:initial;position:fixed;z-index:2147483647;bottom:0;inset-inline-start:0;box-sizing:border-box;width:30rem;max-width:100%;max-height:80vh;overflow:auto;padding:4px 12px calc(12px + env(safe-area-inset-bottom,0px));pointer-events:none;font:medium/1.5 system-ui,sans-serif;text-align:start}
& *{all:unset;box-sizing:border-box}
& *::before,& *::after{content:none}
& loa-region,& loa-title,& loa-body{display:block}
& loa-card,& loa-more{--ink:#1c1d21;--paper:#fff;--edge:#0003;--mark:#1a5fa8;--on:#fff;display:grid;grid-template-columns:1fr auto;margin-top:8px;border:1px solid var(--edge);border-radius:8px;background:var(--paper);color:var(--ink);box-shadow:0 2px 12px #0004;pointer-events:auto;overflow-wrap:anywhere;transition:opacity .25s,transform .25s}
& loa-card{padding:12px 14px 14px 16px;border-inline-start:6px solid var(--mark)}
& [severity=notice]{--mark:#8a5600}
& [severity=breaking]{--mark:#b3201b}
& [severity=emergency]{--ink:#fff;--paper:#9b1111;--mark:#fff;--on:#9b1111;border-color:#9b1111}
& loa-head{font-size:.8125em}
& loa-word{display:inline-block;margin-inline-end:10px;padding:1px 8px;border-radius:4px;background:var(--mark);color:var(--on);font-weight:700}
& loa-title,& loa-body,& a{grid-column:1/-1;margin-top:6px}
& loa-title{font-size:1.125em;font-weight:700;line-height:1.35;text-wrap:balance}
& loa-body{white-space:pre-line}
& a{justify-self:start;font-weight:600;text-decoration:underline;cursor:pointer}
& button{min-width:36px;padding:8px 0;border-radius:8px;font-weight:600;text-align:center;cursor:pointer}
& loa-card button{margin:-8px -8px -8px 8px;font-size:1.5em;line-height:1}
& button:hover{box-shadow:inset 0 0 0 2px}
& :focus-visible{outline:3px solid}
& [hidden]{display:none}
@media(prefers-color-scheme:dark){& loa-card,& loa-more{--ink:#f1f1f3;--paper:#24262b;--edge:#fff4;--mark:#8fc0ff;--on:#16181c}& [severity=notice]{--mark:#ffc45c}& [severity=breaking]{--mark:#ff9c92}& [severity=emergency]{--ink:#fff;--paper:#9b1111;--mark:#fff;--on:#9b1111}}
@media(max-width:40rem){&{max-height:60vh}}
@media print{&{display:none}}`;

  /** @type {Map<string, Announcement>} */
  const known = new Map();
  /** @type {Map<string, Card>} */
  const cards = new Map();
  /** What has come or changed since the page was opened, and has not been shown yet. */
  const news = new Set();
  /** Which revision of which was dismissed, the latest last. @type {Map<string, number>} */
  const dismissed = new Map();
  const dismissals = wire.key('dismissed');
  let welcomed = false;
  let all = false;
  let expiry = 0;
  /** Where the focus was before it came to us. @type {any} */
  let before = null;

  const host = add('loa-banner');
  const alert = add('loa-region', host, { role: 'alert', 'aria-atomic': 'false' });
  const status = add('loa-region', host, { role: 'status', 'aria-atomic': 'false' });
  const rest = add('loa-more', host);
  const more = add('button', rest, { type: 'button' });

  /**
   * @param {string} name
   * @param {Element} [parent]
   * @param {Record<string, string>} [attributes]
   * @returns {any} Else each use would have to say which kind of element it is.
   */
  function add(name, parent, attributes = {}) {
    const element = document.createElement(name);
    for (const attribute of Object.keys(attributes)) element.setAttribute(attribute, attributes[attribute]);
    if (parent) parent.append(element);
    return element;
  }

  /** One announcement as it stands in the page. */
  class Card {
    constructor() {
      // A change is read with the whole card, not as a word without its sentence.
      this.element = add('loa-card', undefined, { 'aria-atomic': 'true' });
      this.head = add('loa-head', this.element);
      this.word = add('loa-word', this.head);
      this.time = add('time', this.head);
      this.close = add('button', this.element, { type: 'button' });
      this.title = add('loa-title', this.element);
      this.body = add('loa-body', this.element);
      this.link = add('a', this.element, { rel: 'noopener' });
      /** @type {any} */
      this.shown = {};
      this.severity = 0;
      this.urgent = false;
      this.told = 0;
      // A click by the keyboard has no detail.
      this.close.addEventListener('click', (/** @type {MouseEvent} */ { detail }) => dismiss(this.shown, !detail));
      this.link.addEventListener('click', () => tell(this.shown, 'clicked'));
      this.element.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        dismiss(this.shown, true);
      });
    }

    /** @param {Announcement} announcement */
    show(announcement) {
      const language = languageOf(host);
      const words = WORDS[language];
      const { title, body, url, revision, updated_at, published_at } = announcement;
      const severity = severityOf(announcement);
      if (severity < URGENT) this.urgent = false;
      else if (this.severity < URGENT) this.urgent = news.has(announcement.id);
      this.severity = severity;
      this.shown = announcement;
      const when = new Date(updated_at || published_at);
      const today = when.toDateString() === new Date().toDateString();
      const day = today ? undefined : '2-digit';
      const time = +when
        ? when.toLocaleString(language, { hour: '2-digit', minute: '2-digit', day, month: day })
        : '';
      this.element.setAttribute('severity', SEVERITIES[severity]);
      this.head.lang = this.link.lang = this.close.lang = language;
      write(this.word, words.severities[severity]);
      write(this.time, revision > 1 ? words.updated.replace('#', time) : time);
      write(this.title, title);
      write(this.body, body);
      write(this.link, words.link);
      write(this.close, '×');
      this.close.setAttribute('aria-label', `${words.close}: ${title}`);
      this.body.hidden = !body;
      this.link.hidden = !/^https?:\/\//i.test(url);
      if (this.link.hidden) this.link.removeAttribute('href');
      else this.link.href = url;
    }
  }

  /**
   * Writes only what changed: what is written anew is read aloud anew.
   *
   * @param {Element} element
   * @param {string} text
   */
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  /** @param {Announcement} announcement */
  function severityOf(announcement) {
    // One that we do not know yet is shown, and does not shout.
    return Math.max(0, SEVERITIES.indexOf(announcement.severity));
  }

  /** @param {Announcement} heard */
  function merge(heard) {
    const { id, revision, status } = heard;
    const ours = known.get(id) || { revision: 0 };
    if (revision < ours.revision || (revision === ours.revision && status !== 'recalled')) return;
    known.set(id, heard);
    if (welcomed) news.add(id);
  }

  /** @returns {Announcement[]} What a reader should see now, the first first. */
  function wanted() {
    const now = wire.now();
    return [...known.values()]
      .filter(
        ({ id, status, expires_at, again }) =>
          status === 'live' && !(Date.parse(expires_at) <= now) && again > (dismissed.get(id) || 0),
      )
      .sort((a, b) => severityOf(b) - severityOf(a) || Date.parse(b.published_at) - Date.parse(a.published_at));
  }

  /**
   * Makes the page show what it should.
   *
   * @param {boolean} [dismissing]  The reader has just closed a card by the keyboard: the next one gets the focus. One
   *     who closed it with the mouse would close the next by scrolling on with the space bar.
   */
  function show(dismissing) {
    // Before, we should not be the last in the page; and a region must be there, empty, before anything is said in it.
    if (document.readyState === 'loading') return;
    dress();
    const list = wanted();
    const top = all ? list : list.slice(0, SHOWN);
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const within = host.contains(focused);

    cards.forEach((card, id) => {
      if (top.some((announcement) => announcement.id === id)) return;
      card.element.remove();
      cards.delete(id);
    });
    // What stands at the place that the next card of a region should take.
    const places = [alert.firstChild, status.firstChild];
    // Fewer at once than the server takes from one browser; the rest a second later.
    let acks = 5;
    // Timers stand still while a computer sleeps; so none is long.
    let look = 30000;
    for (const announcement of top) {
      const card = cards.get(announcement.id) || new Card();
      const fresh = !cards.has(announcement.id);
      cards.set(announcement.id, card);
      if (card.shown !== announcement) card.show(announcement);
      const which = card.urgent ? 0 : 1;
      const at = places.indexOf(card.element);
      if (at >= 0) places[at] = card.element.nextSibling;
      // One that stands rightly is left alone: to move it is to have it read aloud again.
      if (at !== which) [alert, status][which].insertBefore(card.element, places[which]);
      if (fresh) rise(card.element);
      if (card.told !== announcement.revision && !document.hidden) {
        if (!acks) look = 1000;
        else if (tell(announcement, 'rendered')) {
          card.told = announcement.revision;
          acks--;
        }
      }
    }
    news.clear();

    const hidden = list.length - top.length;
    rest.hidden = !hidden;
    write(more, WORDS[languageOf(host)].more.replace('#', String(hidden)));
    if (!sheet) dressByHand();

    if (within && document.activeElement !== focused) {
      const home = before;
      const next = host.contains(focused) ? focused : (dismissing && host.querySelector('loa-card button')) || home;
      if (next && next.isConnected) next.focus({ preventScroll: true });
      // It came from a card that is gone, which is nowhere.
      before = home;
    }

    clearTimeout(expiry);
    const ends = list.map(({ expires_at }) => Date.parse(expires_at) - wire.now() || look);
    if (list.length) expiry = window.setTimeout(show, Math.min(look, ...ends));
  }

  /** Takes its place in the page, again if a script of the page has thrown it out. */
  function dress() {
    if (!host.isConnected) document.body.append(host);
    if (sheet && !document.adoptedStyleSheets.includes(sheet)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
  }

  /** For browsers without sheets made by a script: the same, rule by rule; no dark, no hovering. */
  function dressByHand() {
    host.style.cssText = '';
    host.querySelectorAll('*').forEach((/** @type {HTMLElement} */ element) => (element.style.cssText = ''));
    STYLE.split('@')[0].replace(/(.+){(.+)}/g, (_, selector, rules) => {
      if (selector.includes(':')) return '';
      for (const element of document.querySelectorAll(selector.replace(/&/g, 'loa-banner'))) {
        /** @type {HTMLElement} */ (element).style.cssText += rules;
      }
      return '';
    });
  }

  /**
   * Lets a card come up from below. What is marked important cannot be animated, only passed from one value to another.
   *
   * @param {HTMLElement} element
   */
  function rise(element) {
    if (matchMedia('(prefers-reduced-motion:reduce)').matches) return;
    element.style.setProperty('opacity', '0', 'important');
    element.style.setProperty('transform', 'translateY(16px)', 'important');
    // Measured, so that the browser takes it for a state to leave.
    element.getBoundingClientRect();
    element.removeAttribute('style');
  }

  /**
   * @param {Announcement} announcement
   * @param {string} did
   */
  function tell({ id, revision }, did) {
    return wire.send({ type: 'ack', id, revision, did });
  }

  /**
   * @param {string} id
   * @param {number} revision
   */
  function note(id, revision) {
    if (revision <= (dismissed.get(id) || 0)) return;
    dismissed.delete(id);
    dismissed.set(id, revision);
  }

  /** Takes in what other tabs have noted; what could not be kept stays noted here. */
  function recollect() {
    try {
      for (const [id, revision] of JSON.parse(kept(dismissals))) note(id, revision);
    } catch {
      // Nothing is kept, or not by us.
    }
  }

  /**
   * @param {Announcement} announcement
   * @param {boolean} byKeyboard
   */
  function dismiss(announcement, byKeyboard) {
    const { id, revision } = announcement;
    recollect();
    note(id, revision);
    for (const other of dismissed.keys()) {
      // One that may still be shown is not forgotten, however many there are.
      if (dismissed.size > REMEMBERED && (known.get(other) || {}).status !== 'live') dismissed.delete(other);
    }
    keep(dismissals, JSON.stringify([...dismissed]));
    tell(announcement, 'dismissed');
    show(byKeyboard);
  }

  host.addEventListener('focusin', (/** @type {any} */ { relatedTarget }) => {
    if (!host.contains(relatedTarget)) before = relatedTarget;
  });
  more.addEventListener('click', () => {
    all = true;
    show();
    // The button is gone; the first of those it has brought takes its place.
    const cards = host.querySelectorAll('loa-card button');
    if (cards[SHOWN]) cards[SHOWN].focus();
  });
  window.addEventListener('storage', ({ key }) => {
    if (key !== dismissals) return;
    recollect();
    show();
  });
  document.addEventListener('visibilitychange', () => show());
  wire.on('announcement', (message) => {
    merge(message);
    show();
  });
  wire.on('welcome', ({ announcements = [], full }) => {
    if (full) {
      const active = announcements.map((/** @type {Announcement} */ { id }) => id);
      // What was recalled is remembered as such, should a worker that lags behind still think it live.
      known.forEach(({ status }, id) => status === 'live' && !active.includes(id) && known.delete(id));
    }
    announcements.forEach(merge);
    welcomed = true;
    show();
  });

  /** @type {CSSStyleSheet | null} */
  let sheet = null;
  try {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(
      STYLE.replace(/&/g, 'loa-banner:not(#_):not(#_)').replace(/:[^:{};]+(?=[;}])/g, '$&!important'),
    );
    if (!document.adoptedStyleSheets) sheet = null;
  } catch {
    sheet = null;
  }
  recollect();
  document.addEventListener('DOMContentLoaded', () => show());
  show();
});
