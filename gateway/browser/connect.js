// @ts-check
/**
 * Joins a page to Loa: tells the server where its reader is and what it does, and the other halves what the server says.
 *
 * The server joins the files of this folder and the other rooms' halves into one function, `widget.js`. A half hands
 * itself over with `halves.push(…)`, and is called with the wire before the connection is made.
 * docs/protocol.md says what goes over it.
 *
 * The tabs of a browser share one line to the server (tabs.js): one of them leads, hears and speaks for all. A tab says
 * who it is as a whole, and the one that leads finds out what of it is news to the server.
 *
 * Promises the page: no error is thrown into it and none is logged, no name of it is taken, nothing is
 * asked of it but its address and language. Works where storage is forbidden; the reader is then a new one
 * on every page.
 */

/**
 * What a half may do with the connection.
 *
 * @typedef {object} Wire
 * @property {(type: string, listener: (message: any) => void) => void} on  Hears every message of a type. Two are told
 *     by this side: `lost`, whenever the connection ends, and `moved`, when the reader is at another page or section.
 * @property {(message: object) => boolean} send  Says something to the server; false if it could not.
 * @property {() => number} now  The server's clock, in milliseconds; the browser's may be wrong.
 * @property {(name: string) => string} key  The name under which this site's browsers keep something.
 * @property {(word: 'section' | 'page' | 'states') => void} show  Asks for a number besides the site's, from now on.
 * @property {() => { path: string, section: string }} place  Where the reader is, as the server is told it.
 */

/**
 * A tab, as it tells the one that leads of itself.
 *
 * @typedef {object} Tab
 * @property {string} tab  Its name.
 * @property {string} path
 * @property {string} section
 * @property {string} show  The numbers it shows besides the site's.
 * @property {string} state  What the reader does with it.
 * @property {boolean} seen  It has been visible.
 * @property {boolean} again  The server has been told of this view of the page.
 */

const MINUTE = 60000;
/** As many tabs as the server lets share a connection, besides the first. */
const OTHERS = 31;

/** @type {Array<(wire: Wire) => void>} */
const halves = [];
// Only now does the browser say which element this script came from; a module is never told.
const script = /** @type {HTMLScriptElement | null} */ (
  document.currentScript || document.querySelector('script[data-site][src*="widget"]')
);
/** The language of a page that does not say its own: the site's, once the server has told it. */
let usualLanguage = navigator.language;
/** The site wants nothing to be kept in its readers' browsers. */
let forgetful = false;

/**
 * Where something of the server's is.
 *
 * @param {string} path  Relative to this script.
 */
function address(path) {
  return new URL(path, /** @type {HTMLScriptElement} */ (script).src);
}

/**
 * Reads what the browser keeps for this site.
 *
 * @param {string} key
 * @returns {string} Empty if there is nothing, or if storage is forbidden.
 */
function kept(key) {
  try {
    return localStorage.getItem(key) || '';
  } catch {
    return '';
  }
}

/**
 * Keeps something for this site, if the browser lets us.
 *
 * @param {string} key
 * @param {string} value
 */
function keep(key, value) {
  try {
    if (!forgetful) localStorage.setItem(key, value);
  } catch {
    // Storage is full or forbidden: what was to be kept lasts as long as the page.
  }
}

/**
 * Removes whatever was kept, and keeps nothing from now on.
 *
 * @param {(name: string) => string} keyOf
 */
function forget(keyOf) {
  forgetful = true;
  try {
    for (const name of ['visitor', 'dismissed', 'way', 'tests']) localStorage.removeItem(keyOf(name));
  } catch {
    // Nothing could be kept either.
  }
}

/** What the supplement is given by the other halves. @type {any} */
const supplied = {};

/** Fetches what few pages need, once one turns out to be such a page. */
function fetchSupplement() {
  // Once.
  const [name, integrity] = SUPPLEMENT.splice(0);
  if (!name) return;
  const more = { loa: supplied, crossOrigin: '', integrity, src: address(name) };
  document.head.append(Object.assign(document.createElement('script'), more));
}

/**
 * The language of a place in the page by the nearest `lang`: its primary subtag.
 *
 * @param {Element} element
 */
function tongueOf(element) {
  const marked = element.closest('[lang]') || document.documentElement;
  return (marked.getAttribute('lang') || usualLanguage).toLowerCase().split(/[^a-z]/)[0];
}

/**
 * The language in which to write at a place in the page: one of ours.
 *
 * @param {Element} element
 * @returns {'vi' | 'en'}
 */
function languageOf(element) {
  return tongueOf(element) === 'vi' ? 'vi' : 'en';
}

function start() {
  // A symbol, since any name could be the page's own; and one for all copies of this script.
  const mark = Symbol.for('loa');
  const page = /** @type {any} */ (window);
  if (page[mark] || !script || !script.dataset.site) return;
  page[mark] = true;

  const { site } = script.dataset;
  // Whoever opens `#loa-tests` is shown tests, too, from then on and until `#loa-tests-off` is opened.
  const { hash } = location;
  /** @param {string} name */
  const keyOf = (name) => `loa.${name}.${site}`;
  let tests = kept(keyOf('tests'));
  if (hash.startsWith('#loa-tests')) keep(keyOf('tests'), (tests = hash[10] ? '' : '1'));
  /** @type {Tab} */
  const me = { tab: '', ...place(), show: '', state: '', seen: false, again: false };
  /** The other tabs, while this one leads. @type {Map<string, Tab>} */
  const others = new Map();
  /** What the server has last been told of each tab. @type {Map<string, Tab>} */
  const told = new Map();
  /** @type {Set<string>} */
  const shown = new Set();
  /** @type {Map<string, Array<(message: any) => void>>} */
  const listeners = new Map();
  /** The last welcome as it would be now, for a tab that comes later. @type {any} */
  let last = null;
  let cursor = '';
  let visitor = '';
  let ahead = 0;
  let away = false;
  let leading = false;
  /** Whether the server hears what we say. */
  let live = false;
  /** What the halves of all tabs have said. */
  const said = new Set();

  /** @type {Wire} */
  const wire = {
    on(type, listener) {
      listeners.set(type, [...(listeners.get(type) || []), listener]);
    },
    send(message) {
      if (leading) return say(message);
      company.post({ say: message });
      return live;
    },
    now: () => Date.now() + ahead,
    key: keyOf,
    show(word) {
      shown.add(word);
      me.show = [...shown].join();
      update();
    },
    place: () => ({ path: me.path, section: me.section }),
  };

  /**
   * @param {string} type
   * @param {any} message
   */
  function tell(type, message) {
    for (const listener of listeners.get(type) || []) {
      try {
        listener(message);
      } catch {
        // One half's fault must reach neither the other halves nor the page.
      }
    }
  }

  /**
   * Says something for a half, unless one of another tab has said the same: to the server, a browser is one reader.
   *
   * @param {object} message
   */
  function say(message) {
    const same = JSON.stringify({ ...message, waited: 0 });
    return said.has(same) || (line.send(message) && !!said.add(same));
  }

  /** With what a connection is opened: all there is to say of this page. */
  function query() {
    told.clear();
    told.set(me.tab, { ...me });
    return {
      ...wire.place(),
      site: /** @type {string} */ (site),
      // Tabs that were opened together may each have been given an id: the last that was kept is for all.
      visitor: kept(keyOf('visitor')) || visitor,
      since: cursor,
      show: me.show,
      state: me.state === 'reading' ? '' : me.state,
      apart: navigator.webdriver ? 'robot' : me.seen ? '' : 'hidden',
      again: me.again ? '1' : '',
      tests,
    };
  }

  /**
   * Takes in what the server has said, to this tab or to the one that leads.
   *
   * @param {any} message
   */
  function take(message) {
    const { type, full } = message;
    if (type === 'welcome') {
      live = true;
      ahead = Date.parse(message.now) - Date.now() || 0;
      usualLanguage = message.language || usualLanguage;
      visitor = message.visitor || visitor;
      if (message.identity === 'session') forget(keyOf);
      else keep(keyOf('visitor'), visitor);
    }
    cursor = message.cursor || cursor;
    if (!message.scope && (last || full)) {
      const news = message.announcements || (type === 'announcement' ? [message] : []);
      // Whoever hears this merges, and may hear of one twice.
      const old = full ? [] : last.announcements;
      last = { ...last, ...message, type: 'welcome', full: true, announcements: [...old, ...news] };
    }
    tell(type, message);
  }

  /** @param {any} message  From the server, to the tab that leads. */
  function hear(message) {
    take(message);
    if (message.type === 'welcome') {
      // Over a way that goes out only, it is the first word that makes a reader.
      if (message.inbox) told.set(me.tab, { ...me, state: '' });
      [me, ...others.values()].forEach(report);
      message = replay();
    }
    company.post({ hear: message });
  }

  function replay() {
    return { ...last, now: new Date(wire.now()).toISOString() };
  }

  /** The connection is gone. */
  function lost() {
    live = false;
    if (leading) company.post({ lost: true });
    tell('lost', null);
  }

  /** Tells the one that leads who this tab is, once it has a name. */
  function introduce(hello = false) {
    if (me.tab) company.post({ me, hello });
  }

  /** Something about this page has changed. */
  function update() {
    if (leading) return report(me);
    introduce();
    me.again = me.again || (live && me.seen);
  }

  /**
   * Tells the server what is news to it about a tab. One that nobody has looked at yet is nowhere.
   *
   * @param {Tab} one
   */
  function report(one) {
    const { path, section, show, state, seen } = one;
    if (!live || (one !== me && !seen)) return;
    const was = told.get(one.tab) || /** @type {Partial<Tab>} */ ({ state: 'background', seen });
    const tab = one === me ? undefined : one.tab;
    const again = one.again || !seen || path === was.path;
    if (path !== was.path || section !== was.section || show !== was.show) {
      line.send({ type: 'page', tab, path, section, show, again });
    }
    if (state !== was.state || seen !== was.seen) line.send({ type: 'state', tab, state, seen });
    told.set(one.tab, { ...one });
    one.again = one.again || seen;
  }

  /**
   * Another tab says who it is.
   *
   * @param {Tab} one
   */
  function meet(one) {
    if (!others.has(one.tab)) {
      if (others.size >= OTHERS) return company.post({ to: one.tab, full: true });
      company.onGone(one.tab, () => {
        if (others.delete(one.tab) && told.delete(one.tab)) line.send({ type: 'gone', tab: one.tab });
      });
    }
    others.set(one.tab, one);
    report(one);
  }

  const line = makeLine(query, hear, lost, keyOf('way'));
  const company = makeCompany(`loa.1.${site} ${address('.')}${tests}`, {
    enter(tab) {
      me.tab = tab;
      introduce(true);
    },
    lead() {
      leading = true;
      live = false;
      company.post({ lead: true });
      line.open();
    },
    resign() {
      leading = false;
      others.clear();
      line.close();
      lost();
      introduce(true);
    },
    hear(data) {
      if (leading) {
        if (data.say) say(data.say);
        if (data.me) meet(data.me);
        if (data.hello) company.post({ to: data.me.tab, hear: last && replay(), lost: !live });
        // It led once, and has not heard yet that it does no more.
        if (data.lost && live) company.post({ hear: replay() });
        return;
      }
      if ((data.to || me.tab) !== me.tab) return;
      if (data.hear) take(data.hear);
      if (data.lost) lost();
      if (data.full) company.withdraw();
      if (data.lead) introduce();
      else me.again = me.again || (live && me.seen);
    },
  });

  for (const half of halves) {
    try {
      half(wire);
    } catch {
      // A page without a counter may still have a banner.
    }
  }
  watchAttention((state) => {
    me.state = state;
    me.seen = me.seen || state !== 'background';
    update();
  });
  watchPlace(() => {
    const { path, section } = place();
    if (path === me.path && section === me.section) return;
    if (path !== me.path) me.again = false;
    Object.assign(me, { path, section });
    update();
    tell('moved', null);
  });

  function begin() {
    if (!away) company.join();
  }
  function leave() {
    away = true;
    company.part();
    me.tab = '';
    leading = false;
    others.clear();
    line.close();
    lost();
  }
  function comeBack() {
    if (!away) return;
    away = false;
    begin();
  }
  // A page with an open connection, or with a lock, is not kept for the back button.
  addEventListener('pagehide', leave);
  addEventListener('pageshow', comeBack);
  // One that stands still cannot hear for others. Alone, it remains a reader.
  document.addEventListener('freeze', () => (!leading || others.size) && leave());
  document.addEventListener('resume', comeBack);
  addEventListener('storage', ({ key }) => {
    if (key !== keyOf('visitor') || !leading || !live || [visitor, ''].includes(kept(key))) return;
    line.close();
    line.open();
  });
  document.addEventListener('visibilitychange', () => {
    line.wake();
    company.wake();
  });
  if (!(/** @type {any} */ (document).prerendering)) return begin();
  // Nobody reads a page that is rendered ahead, and perhaps nobody will: it is told of without a name, and listens not.
  const unread = /** @type {any} */ ({ ...me, site, apart: 'prerender' });
  const early = new EventSource(address('events?' + new URLSearchParams(unread)));
  document.addEventListener('prerenderingchange', () => {
    early.close();
    begin();
  });
}

// The other halves stand below in the same script: they are all there once it has run.
queueMicrotask(() => {
  try {
    start();
  } catch {
    // A browser, or a page, in which this cannot work: it stays as it would be without us.
  }
});
