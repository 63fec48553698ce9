// @ts-check
/**
 * Shows announcements: cards at the foot of the window, over the page, which is not moved.
 *
 * What is shown follows from what was heard, in whatever order and however often (docs/protocol.md, "announcement"):
 * the highest revision of each, recalled winning ties; not expired by the server's clock, not dismissed here, and meant
 * for this page. The three most severe stand there, newest first among equals; the rest wait behind "n more". A test
 * looks like nothing else, comes after all that is real, and never shouts.
 *
 * Two live regions in the page itself, empty until there is something to say: `alert` for what is breaking or an
 * emergency and comes while the page is read, `status` for all else, also for what was active before the page was
 * opened. An update changes the card where it stands. The focus is never taken; where a card goes that had it, it
 * returns to where it was. A dismissal holds in all tabs of the site until a revision asks to be shown again.
 *
 * The text is that in the page's language, where there is one; the words around it are Vietnamese or English.
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
 * @property {string} [language]  Of the text; absent: the site's.
 * @property {Record<string, { title: string, body?: string, url?: string }>} [texts]  In further languages.
 * @property {Record<string, any>} [audience]  By the name of something of a page, what it must match.
 * @property {boolean} [test]
 */

halves.push(function banner(wire) {
  // In a frame as small as a counter there is no room for one, and the page around it may have its own.
  if (/** @type {HTMLElement} */ (script).dataset.banner === 'off') return;
  const SHOWN = 3;
  const SEVERITIES = ['info', 'notice', 'breaking', 'emergency'];
  /** Severities; then: a test, a correction, a link, to close one, to see more. @type {Record<string, any>} */
  const WORDS = {
    vi: [
      ['Thông tin', 'Thông báo', 'Tin nóng', 'Khẩn cấp'],
      'THỬ NGHIỆM: ',
      'cập nhật #',
      'Xem chi tiết',
      'Đóng',
      'Xem thêm # thông báo',
    ],
    en: [['Information', 'Notice', 'Breaking', 'Emergency'], 'TEST: ', 'updated #', 'Read more', 'Close', '# more'],
  };
  // "&" is written out as a selector that weighs more than a page's, and every declaration is made important: a page
  // that styles "div", "button" or "*" does not reach in; only one that means to can. All starts from nothing.
  const STYLE = `
&{all:initial;position:fixed;z-index:2147483647;bottom:0;inset-inline-start:0;box-sizing:border-box;display:flex;flex-direction:column;width:min(30rem,100%);height:70vh;overflow:auto;padding:4px 12px calc(12px + env(safe-area-inset-bottom));pointer-events:none;font:medium/1.5 system-ui,sans-serif}
& *{all:unset;box-sizing:border-box}
& ::before,& ::after{content:none}
& loa-region,& loa-title,& loa-body{display:block}
& [role=alert]{margin-top:auto}
& loa-card,&>button{--ink:#222;--paper:#fff;--mark:#1a5fa8;display:grid;grid:auto/1fr auto;margin-top:8px;border:1px solid #8886;border-radius:8px;background:var(--paper);color:var(--ink);box-shadow:0 2px 12px #0004;pointer-events:auto;overflow-wrap:anywhere}
& loa-card{padding:12px 14px;border-inline-start:6px solid var(--mark)}
& [severity=notice]{--mark:#8a5600}
& [severity=breaking]{--mark:#b3201b}
& [severity=emergency]{--ink:#fff;--paper:#9b1111;--mark:#fff;border-color:#9b1111}
& [severity=test]{--mark:#6b2fa8;border:dashed var(--mark)}
& loa-head{font-size:.8em}
& loa-word{display:inline-block;margin-inline-end:10px;padding:1px 8px;border-radius:4px;background:var(--mark);color:var(--paper)}
& loa-title,& loa-body,& a{grid-column:1/-1;margin-top:6px}
& loa-word,& loa-title,& a,& button{font-weight:600}
& a,& button{cursor:pointer}
& loa-title{font-size:1.1em;line-height:1.35}
& loa-body{white-space:pre-line}
& a{justify-self:start;text-decoration:underline}
& button{min-width:36px;padding:8px 0;border-radius:8px;text-align:center}
& loa-card button{margin:-8px -8px -8px 8px;font-size:1.5em;line-height:1}
& button:hover,& :focus-visible{outline:3px solid}
& [hidden]{display:none}
@media(prefers-color-scheme:dark){& loa-card,&>button{--ink:#eee;--paper:#222;--mark:#8fc0ff}& [severity=notice]{--mark:#ffc45c}& [severity=breaking]{--mark:#ff9c92}& [severity=test]{--mark:#d3a6ff}}
@media(prefers-reduced-motion:no-preference){& loa-card{transition:.25s;@starting-style{opacity:0;translate:0 16px}}}
@media print{&{display:none}}`;

  /** @type {Map<string, Announcement>} */
  const known = new Map();
  /** @type {Map<string, ReturnType<typeof makeCard>>} */
  const cards = new Map();
  /** What has come or changed since the page was opened, and has not been shown yet. */
  const news = new Set();
  /** Which revision of which was dismissed, the latest last. @type {Map<string, number>} */
  const dismissed = new Map();
  const dismissals = wire.key('dismissed');
  /** What was seen in this page, and since when the server is to be told; 0: it was. @type {Map<Announcement, number>} */
  const seen = new Map();
  let telling = 0;
  let welcomed = false;
  let limit = SHOWN;
  /** The reader closes a card by the keyboard: the next one gets the focus. One who closed it with the mouse would close
   * the next by scrolling on with the space bar. */
  let dismissing = false;
  let expiry = 0;
  /** Where the focus was before it came to us. @type {any} */
  let before = null;

  const host = document.createElement('loa-banner');
  const alert = addRegion('alert');
  const status = addRegion('status');
  const more = add('button', host);

  /**
   * @param {string} name
   * @param {Element} parent
   * @returns {any} Else each use would have to say which kind of element it is.
   */
  function add(name, parent) {
    const element = document.createElement(name);
    parent.append(element);
    return element;
  }

  /** @param {string} role */
  function addRegion(role) {
    const region = add('loa-region', host);
    region.setAttribute('role', role);
    region.setAttribute('aria-atomic', 'false');
    return region;
  }

  /** One announcement as it stands in the page. */
  function makeCard() {
    const element = document.createElement('loa-card');
    const [head, close, headline, text, link] = ['loa-head', 'button', 'loa-title', 'loa-body', 'a'].map((name) =>
      add(name, element),
    );
    const [word, time] = ['loa-word', 'time'].map((name) => add(name, head));
    // A change is read with the whole card, not as a word without its sentence.
    element.setAttribute('aria-atomic', 'true');
    link.rel = 'noopener';
    /** @type {{ element: HTMLElement, show: (told: Announcement) => void, shown?: any, language?: string, urgent?: boolean }} */
    const card = {
      element,
      show(announcement) {
        const { id, url, updated_at, published_at, language = usualLanguage, texts, test, severity } = announcement;
        const tongue = tongueOf(host);
        const ours = languageOf(host);
        const [severities, testing, updated, details, closing] = WORDS[ours];
        const own = Object(texts)[tongue];
        const { title, body = '', url: href = url } = own || announcement;
        // What is breaking, or an emergency.
        card.urgent = rankOf(announcement) > 1 && (card.urgent || news.has(id));
        card.shown = announcement;
        card.language = tongue;
        const when = new Date(updated_at);
        const day = when.toDateString() === new Date().toDateString() ? undefined : '2-digit';
        const at = when.toLocaleString(ours, { hour: '2-digit', minute: '2-digit', day, month: day });
        element.setAttribute('severity', test ? 'test' : severity);
        element.lang = own ? tongue : language;
        head.lang = link.lang = close.lang = ours;
        write(word, (test ? testing : '') + (severities[SEVERITIES.indexOf(severity)] || severities[0]));
        write(time, updated_at === published_at ? at : updated.replace('#', at));
        write(headline, title);
        write(text, body);
        write(link, details);
        write(close, '×');
        close.setAttribute('aria-label', `${closing}: ${title}`);
        text.hidden = !body;
        link.hidden = !/^https?:/i.test(href);
        if (!link.hidden) link.href = href;
      },
    };
    // A click by the keyboard has no detail.
    close.onclick = (/** @type {MouseEvent} */ { detail }) => dismiss(card.shown, !detail);
    link.onclick = () => tell(card.shown, 'clicked');
    element.onkeydown = (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      dismiss(card.shown, true);
    };
    return card;
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

  /**
   * By this they are shown, the highest first. A severity that we do not know yet is the lowest, and does not shout.
   *
   * @param {Announcement} announcement
   */
  function rankOf({ severity, test }) {
    return test ? -2 : SEVERITIES.indexOf(severity);
  }

  /** @param {Announcement} heard */
  function merge(heard) {
    const { id, revision, status } = heard;
    const ours = known.get(id) || { revision: 0 };
    if (revision < ours.revision || (revision === ours.revision && status !== 'recalled')) return;
    known.set(id, heard);
    if (welcomed) news.add(id);
  }

  /**
   * Whether the reader of this page should see it now. What asks for something that we do not know is not for this page.
   *
   * @param {Announcement} announcement
   */
  function isWanted({ id, status, expires_at, again, audience = {} }) {
    // What stands there is not taken away because nobody looks.
    const visible = !document.hidden || cards.has(id);
    const page = /** @type {any} */ ({ ...wire.place(), language: tongueOf(host), visible });
    return (
      welcomed &&
      status === 'live' &&
      !(Date.parse(expires_at) <= wire.now()) &&
      again > (dismissed.get(id) || 0) &&
      Object.keys(audience).every((name) => RegExp(audience[name]).test(page[name]))
    );
  }

  /** Makes the page show what it should. */
  function show() {
    // Before, we should not be the last in the page; and a region must be there, empty, before anything is said in it.
    if (document.readyState === 'loading') return;
    // Takes its place in the page, again if a script of the page has thrown it out.
    if (!host.isConnected) document.body.append(host);
    if (sheet && !document.adoptedStyleSheets.includes(sheet)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
    const list = [...known.values()]
      .filter(isWanted)
      .sort((a, b) => rankOf(b) - rankOf(a) || Date.parse(b.published_at) - Date.parse(a.published_at));
    const top = list.slice(0, limit);
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const within = host.contains(focused);

    cards.forEach((card, id) => {
      if (top.includes(/** @type {any} */ (known.get(id)))) return;
      card.element.remove();
      cards.delete(id);
    });
    // What stands at the place that the next card of a region should take.
    const places = [alert.firstChild, status.firstChild];
    for (const announcement of top) {
      const card = cards.get(announcement.id) || makeCard();
      cards.set(announcement.id, card);
      if (card.shown !== announcement || card.language !== tongueOf(host)) card.show(announcement);
      const which = card.urgent ? 0 : 1;
      const at = places.indexOf(card.element);
      if (at >= 0) places[at] = card.element.nextSibling;
      // One that stands rightly is left alone: to move it is to have it read aloud again.
      if (at !== which) [alert, status][which].insertBefore(card.element, places[which]);
      const since = seen.get(announcement);
      if (document.hidden || since === 0) continue;
      seen.set(announcement, since || Date.now());
      // Not at once, or all browsers would tell it at the same moment.
      telling = telling || setTimeout(tellSeen, Math.random() * 5000);
    }
    news.clear();

    const hidden = list.length - top.length;
    more.hidden = !hidden;
    write(more, WORDS[languageOf(host)][5].replace('#', `${hidden}`));

    if (within && document.activeElement !== focused) {
      const home = before;
      const next = host.contains(focused)
        ? focused
        : /** @type {any} */ (dismissing && host.querySelector('loa-card button')) || home;
      if (next && next.isConnected) next.focus({ preventScroll: true });
      // It came from a card that is gone, which is nowhere.
      before = home;
    }

    clearTimeout(expiry);
    const ends = list.map(({ expires_at }) => Date.parse(expires_at) - wire.now() || MINUTE);
    // Timers stand still while a computer sleeps; so none is long.
    if (list.length) expiry = setTimeout(show, Math.min(MINUTE / 2, ...ends));
  }

  /**
   * @param {Announcement} announcement
   * @param {string} did
   * @param {number} [waited]  For how long we have kept it to ourselves.
   */
  function tell({ id, revision }, did, waited = 0) {
    return wire.send({ type: 'ack', id, revision, did, waited });
  }

  /** What cannot be told now is told later. */
  function tellSeen() {
    telling = 0;
    seen.forEach((since, one) => since && tell(one, 'rendered', Date.now() - since) && seen.set(one, 0));
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
      // Fifty are remembered. One that may still be shown is not forgotten, however many there are.
      if (dismissed.size > 50 && (known.get(other) || {}).status !== 'live') dismissed.delete(other);
    }
    keep(dismissals, JSON.stringify([...dismissed]));
    tell(announcement, 'dismissed');
    dismissing = byKeyboard;
    show();
    dismissing = false;
  }

  host.addEventListener('focusin', (/** @type {any} */ { relatedTarget }) => {
    if (!host.contains(relatedTarget)) before = relatedTarget;
  });
  more.onclick = () => {
    limit = Infinity;
    show();
    // The button is gone; the first of those it has brought takes its place.
    const cards = /** @type {any} */ (host.querySelectorAll('loa-card button'));
    if (cards[SHOWN]) cards[SHOWN].focus();
  };
  addEventListener('storage', ({ key }) => {
    if (key !== dismissals) return;
    recollect();
    show();
  });
  document.addEventListener('visibilitychange', show);
  // What lies in the back-forward cache may be recalled meanwhile: it comes back with the next welcome.
  addEventListener('pagehide', () => {
    tellSeen();
    welcomed = false;
    show();
  });
  wire.on('moved', show);
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
    const made = new CSSStyleSheet();
    made.replaceSync(
      STYLE.replace(/&/g, 'loa-banner:not(#_):not(#_)').replace(/:[^:{};]+(?=[;}])/g, '$&!important'),
    );
    document.adoptedStyleSheets.includes(made);
    sheet = made;
  } catch {
    // It is dressed by hand, and soon enough: before there is anything to dress.
    Object.assign(supplied, { banner: host, bannerStyle: STYLE });
    fetchSupplement();
  }
  recollect();
  document.addEventListener('DOMContentLoaded', show);
  show();
});
