// @ts-check
/**
 * The line to the server, kept up for as long as it is wanted: comes back by itself after anything, later at each
 * failure and when the server says, by another way where this one is barred.
 */

/** After these close codes it was our fault: coming back soon would not help, nor all at the same time. */
const OUR_FAULT = /100[23789]/;

/**
 * @param {() => Record<string, string>} query  What to open it with.
 * @param {(message: any) => void} hear  Told every message.
 * @param {() => void} lost  Told whenever it ends and whenever it could not be made, unless it was closed.
 * @param {string} hint  The key under which the browser keeps which way was open.
 */
function makeLine(query, hear, lost, hint) {
  let [way, until] = kept(hint).split(' ').map(Number);
  if (!WAYS[way] || !(until > Date.now())) way = 0;
  /** A WebSocket has worked in this page. */
  let proven = false;
  /** @type {Link | null} */
  let link = null;
  let wanted = false;
  // Until a first `welcome` says how the server wants it.
  let patience = { base_ms: 500, cap_ms: MINUTE };
  let failures = 0;
  let barred = 0;
  let welcomed = 0;
  let heard = 0;
  let retry = 0;
  let silence = 0;
  let renewal = 0;
  let inbox = '';
  let mail = Promise.resolve();
  /** @type {string[]} */
  let unsaid = [];
  let said = 0;
  let pause = 0;

  function dial() {
    clearTimeout(retry);
    if (link || !wanted) return;
    const { path, open } = WAYS[way];
    const url = address(path);
    url.search = /** @type {any} */ (new URLSearchParams(query()));
    try {
      link = open(url, receive, fail);
    } catch {
      return fail();
    }
    listen();
  }

  /** Remembers that the server is alive, and waits a minute for it to say so again; less for its first word. */
  function listen() {
    heard = Date.now();
    clearTimeout(silence);
    silence = setTimeout(fail, welcomed ? MINUTE : MINUTE / (way ? 6 : 2));
  }

  /** @param {any} message */
  function receive(message) {
    const { type } = Object(message);
    if (type === 'close') return fail(message);
    // Behind a proxy nothing else shows the server that somebody is still there; a poll shows it by itself.
    if (type === 'tick' && way === 1) mailOrSend(JSON.stringify({ type }));
    if (type === 'welcome') {
      welcomed = Date.now();
      barred = 0;
      patience = { ...patience, ...message.reconnect };
      inbox = message.inbox;
      if (!way) proven = true;
      else {
        // The best way may be open again: soon, if it was before.
        const pass = proven ? MINUTE : 10 * MINUTE;
        proven = false;
        if (message.identity !== 'session') keep(hint, `${way} ${Date.now() + pass}`);
        renewal = setTimeout(() => {
          drop();
          way = 0;
          dial();
        }, pass);
      }
    }
    listen();
    if (message === Object(message)) hear(message);
  }

  /** Lets go of the link without hearing from it again. */
  function drop() {
    [retry, silence, renewal, pause].forEach(clearTimeout);
    if (link) link.close();
    link = null;
    unsaid = [];
    said = pause = 0;
  }

  /**
   * It has ended, or was never made.
   *
   * @param {{ code?: number, reason?: string, retry_ms?: number }} [close]  What it was closed with, if it was.
   */
  function fail({ code = 0, reason = '', retry_ms = 0 } = {}) {
    drop();
    if (!welcomed && navigator.onLine && ++barred >= (way ? 1 : proven ? 6 : 2)) {
      way = (way + 1) % WAYS.length;
      barred = 0;
    }
    // A server that welcomes and hangs up at once must not be asked as if nothing had failed.
    if (welcomed && Date.now() - welcomed > 5000) failures = 0;
    welcomed = 0;
    let wait = Math.random() * Math.min(patience.cap_ms, patience.base_ms * 2 ** failures++);
    // Each try in vain writes an error into the page's console; but a browser may say wrongly that it is offline.
    if (!navigator.onLine) wait = (MINUTE / 4) * (1 + Math.random());
    if (OUR_FAULT.test(/** @type {any} */ (code))) wait = MINUTE * (1 + Math.random());
    // Where the server has chosen a delay for us.
    wait = Math.min(retry_ms || Object(parsed(reason)).retry_ms, 10 * MINUTE) || wait;
    retry = setTimeout(dial, wait);
    lost();
  }

  /** Says what there is to say, as fast as the server takes it. */
  function flush() {
    // The server takes ten messages a second.
    while (unsaid.length && said < 10) {
      said++;
      mailOrSend(/** @type {string} */ (unsaid.shift()));
    }
    pause =
      pause ||
      setTimeout(() => {
        said = pause = 0;
        if (unsaid.length) flush();
      }, 1000);
  }

  /** @param {string} text */
  function mailOrSend(text) {
    const over = link;
    if (over && over.send) return over.send(text);
    const to = address(inbox.slice(1));
    // One after the other, as they were said.
    mail = mail
      .then(() => fetch(to, { method: 'POST', body: text, keepalive: true }))
      .then(({ ok }) => {
        if (!ok) throw 0;
      })
      .catch(() => {
        if (over === link) fail();
      });
  }

  addEventListener('offline', () => link && fail());
  addEventListener('online', () => {
    if (link) return;
    failures = 0;
    clearTimeout(retry);
    retry = setTimeout(dial, Math.random() * patience.base_ms);
  });

  return {
    open() {
      wanted = true;
      dial();
    },
    close() {
      wanted = false;
      welcomed = 0;
      drop();
    },
    /** Timers stand still while a computer sleeps; the clock does not. */
    wake() {
      if (link && Date.now() - heard > MINUTE) fail();
    },
    /**
     * @param {object} message
     * @returns {boolean} Whether it is said.
     */
    send(message) {
      if (!welcomed) return false;
      unsaid.push(JSON.stringify(message));
      flush();
      return true;
    },
  };
}
