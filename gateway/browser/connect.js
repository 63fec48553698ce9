// @ts-check
/**
 * Connects a page to Loa: one WebSocket, kept up for as long as somebody may look at the page.
 *
 * The server joins this file and the other rooms' halves into one function, `widget.js`. A half hands
 * itself over with `halves.push(…)`, and is called with the wire before the connection is made.
 * docs/protocol.md says what goes over it.
 *
 * Promises the page: no error is thrown into it and none is logged, no name of it is taken, nothing is
 * asked of it but its address and language. Works where storage is forbidden; the reader is then a new one
 * on every page.
 */

/**
 * What a half may do with the connection.
 *
 * @typedef {object} Wire
 * @property {(type: string, listener: (message: any) => void) => void} on  Hears every message of a type;
 *     `lost` is told by this side, whenever the connection ends.
 * @property {(message: object) => boolean} send  Says something to the server; false if it could not.
 * @property {() => number} now  The server's clock, in milliseconds; the browser's may be wrong.
 * @property {(name: string) => string} key  The name under which this site's browsers keep something.
 */

/** After these close codes it was our fault: coming back soon would not help, nor all at the same time. */
const OUR_FAULT = [1002, 1003, 1007, 1008, 1009];
const MINUTE = 60000;

/** @type {Array<(wire: Wire) => void>} */
const halves = [];
// Only now does the browser say which element this script came from; a module is never told.
const script = /** @type {HTMLScriptElement | null} */ (
  document.currentScript || document.querySelector('script[data-site][src*="widget"]')
);
/** The language of a page that does not say its own: the site's, once the server has told it. */
let usualLanguage = navigator.language;

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
    localStorage.setItem(key, value);
  } catch {
    // Storage is full or forbidden: what was to be kept lasts as long as the page.
  }
}

/**
 * The language in which to write at a place in the page: one of ours, by the nearest `lang`.
 *
 * @param {Element} element
 * @returns {'vi' | 'en'}
 */
function languageOf(element) {
  const marked = element.closest('[lang]') || document.documentElement;
  return /^vi(?![a-z])/i.test(marked.getAttribute('lang') || usualLanguage) ? 'vi' : 'en';
}

function start() {
  // A symbol, since any name could be the page's own; and one for all copies of this script.
  const mark = Symbol.for('loa.widget');
  const page = /** @type {any} */ (window);
  if (page[mark] || !script || !script.dataset.site) return;
  page[mark] = true;

  const { site, section = '' } = script.dataset;
  // As the address bar would write it, however the page does.
  const path = new URL(script.dataset.path || '', location.href).pathname.slice(0, 512);
  const address = new URL('ws', script.src);
  address.protocol = address.protocol.replace('http', 'ws');

  /** @type {Map<string, Array<(message: any) => void>>} */
  const listeners = new Map();
  /** @type {WebSocket | null} */
  let socket = null;
  let cursor = '';
  let visitor = '';
  // Until a first `welcome` says how the server wants it.
  let patience = { base_ms: 500, cap_ms: MINUTE };
  let failures = 0;
  let welcomed = 0;
  let heard = 0;
  let ahead = 0;
  let away = false;
  let retry = 0;
  let silence = 0;

  /** @type {Wire} */
  const wire = {
    on(type, listener) {
      listeners.set(type, [...(listeners.get(type) || []), listener]);
    },
    send(message) {
      if (!socket || socket.readyState !== 1) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    now: () => Date.now() + ahead,
    key: (name) => `loa.${name}.${site}`,
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

  function connect() {
    clearTimeout(retry);
    // Nobody reads a page that is rendered ahead, and perhaps nobody will.
    if (socket || away || /** @type {any} */ (document).prerendering) return;
    address.search = String(
      new URLSearchParams({
        site: /** @type {string} */ (site),
        path,
        section,
        // Tabs that were opened together may each have been given an id: the last that was kept is for all.
        visitor: kept(wire.key('visitor')) || visitor,
        since: cursor,
      }),
    );
    try {
      socket = new WebSocket(address.href);
    } catch {
      return lost();
    }
    socket.onmessage = hear;
    socket.onclose = lost;
    listen();
  }

  /** Remembers that the server is alive, and waits a minute for it to say so again. */
  function listen() {
    heard = Date.now();
    clearTimeout(silence);
    silence = window.setTimeout(lost, MINUTE);
  }

  /** @param {MessageEvent} event */
  function hear(event) {
    listen();
    let message;
    try {
      message = JSON.parse(event.data);
    } catch {
      return;
    }
    if (!message) return;
    if (message.type === 'welcome') {
      welcomed = Date.now();
      ahead = Date.parse(message.now) - welcomed || 0;
      patience = { ...patience, ...message.reconnect };
      usualLanguage = message.language || usualLanguage;
      visitor = message.visitor || visitor;
      keep(wire.key('visitor'), visitor);
      if (document.hidden) say();
    }
    cursor = message.cursor || cursor;
    tell(message.type, message);
  }

  /** Lets go of the connection without hearing from it again: a close may take the browser minutes. */
  function leave() {
    clearTimeout(retry);
    clearTimeout(silence);
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
    tell('lost', null);
  }

  /**
   * The connection has ended, or was never made: comes back, later at each failure.
   *
   * @param {{ code?: number, reason?: string }} [close]  What it was closed with, if it was.
   */
  function lost({ code = 0, reason = '' } = {}) {
    leave();
    // A server that welcomes and hangs up at once must not be asked as if nothing had failed.
    if (welcomed && Date.now() - welcomed > 5000) failures = 0;
    welcomed = 0;
    let wait = Math.random() * Math.min(patience.cap_ms, patience.base_ms * 2 ** failures++);
    // Each try in vain writes an error into the page's console; but a browser may say wrongly that it is offline.
    if (!navigator.onLine) wait = (MINUTE / 4) * (1 + Math.random());
    if (OUR_FAULT.includes(code)) wait = MINUTE * (1 + Math.random());
    if (code === 1012 || code === 1013) {
      try {
        wait = Math.min(JSON.parse(reason).retry_ms, 10 * MINUTE) || wait;
      } catch {
        // No delay was chosen for us.
      }
    }
    retry = window.setTimeout(connect, wait);
  }

  function say() {
    wire.send({ type: 'state', state: document.hidden ? 'background' : 'reading' });
  }

  for (const half of halves) {
    try {
      half(wire);
    } catch {
      // A page without a counter may still have a banner.
    }
  }

  document.addEventListener('visibilitychange', () => {
    say();
    // Timers stand still while a computer sleeps; the clock does not.
    if (socket && Date.now() - heard > MINUTE) lost();
  });
  window.addEventListener('offline', () => socket && lost());
  window.addEventListener('online', () => {
    if (socket) return;
    failures = 0;
    clearTimeout(retry);
    retry = window.setTimeout(connect, Math.random() * patience.base_ms);
  });
  // A page with an open connection is not kept for the back button.
  window.addEventListener('pagehide', () => {
    away = true;
    leave();
  });
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    away = false;
    connect();
  });
  window.addEventListener('storage', ({ key }) => {
    if (key !== wire.key('visitor') || !socket || kept(key) === visitor) return;
    leave();
    connect();
  });
  document.addEventListener('prerenderingchange', connect);
  connect();
}

// The other halves stand below in the same script: they are all there once it has run.
queueMicrotask(() => {
  try {
    start();
  } catch {
    // A browser, or a page, in which this cannot work: it stays as it would be without us.
  }
});
