// @ts-check
/**
 * The tabs of a browser that have a site open: they speak to each other, and one of them leads.
 *
 * Who leads has the lock of the site (Web Locks): it is passed on by the browser itself the moment a tab is closed or
 * crashes. One that stands still keeps its lock; the others notice its silence and take it. Each tab also has a lock
 * of its own for as long as it lives, so that the one that leads is told by the browser when it is gone.
 *
 * Where there are no locks (they need https) or no channel, where the page says `data-share="off"`, and where there are
 * more tabs than may share a connection, a tab leads itself alone.
 *
 * The channel's name has the number of this conversation in it: tabs with scripts that speak otherwise do not meet.
 */

/**
 * What becomes of a tab.
 *
 * @typedef {object} Fate
 * @property {(tab: string) => void} enter  It has this name now, and those that lead can hear it.
 * @property {() => void} lead
 * @property {() => void} resign  It led, and another has taken over.
 * @property {(data: any) => void} hear  Another tab has spoken.
 */

/**
 * @param {string} name  Of lock and channel.
 * @param {Fate} fate
 */
function makeCompany(name, fate) {
  const { locks } = navigator;
  let sociable = /** @type {HTMLScriptElement} */ (script).dataset.share !== 'off';
  /** @type {BroadcastChannel | null} */
  let channel = null;
  let parting = new AbortController();
  let leading = false;
  /** How often this tab was given the lead. */
  let reign = 0;
  let heard = 0;
  let silence = 0;

  /** @param {object} data */
  function post(data) {
    if (channel) channel.postMessage(data);
  }

  /**
   * Waits for the one that leads to say something.
   *
   * @param {number} [patience]  In milliseconds. The server has it speak every 25 seconds.
   */
  function listen(patience = MINUTE) {
    heard = Date.now();
    clearTimeout(silence);
    // Not all at the same time.
    if (!leading) silence = setTimeout(steal, patience * (1 + Math.random() / 2));
  }

  function steal() {
    if (leading || !channel) return;
    listen();
    ask(true);
  }

  /** @param {AbortSignal} signal */
  function hold(signal) {
    return new Promise((end) => signal.addEventListener('abort', end));
  }

  /**
   * Asks for the lock of the site, and for it again should another take it.
   *
   * @param {boolean} [now]  Whoever has it.
   */
  function ask(now) {
    const { signal } = parting;
    let mine = 0;
    locks
      .request(name, now ? { steal: true } : { signal }, () => {
        if (signal.aborted) return;
        mine = ++reign;
        leading = true;
        clearTimeout(silence);
        fate.lead();
        return hold(signal);
      })
      .catch(() => {
        if (signal.aborted) return;
        // It may be this tab that took it, from itself.
        if (mine && mine === reign) {
          leading = false;
          fate.resign();
          listen();
        }
        if (now) return;
        if (mine) ask();
        else withdraw();
      });
  }

  function join() {
    part();
    if (sociable) {
      try {
        channel = new BroadcastChannel(name);
      } catch {
        sociable = false;
      }
    }
    if (!sociable || !channel || !locks) return withdraw();
    channel.onmessage = ({ data }) => {
      if (!data.me && !data.say) listen();
      fate.hear(data);
    };
    const { signal } = parting;
    const tab = Math.random().toString(36).slice(2, 10);
    locks
      .request(`${name} ${tab}`, { signal }, () => {
        listen(MINUTE / 20);
        fate.enter(tab);
        return hold(signal);
      })
      .catch(() => {});
    ask();
  }

  /** Leaves the others to themselves. */
  function part() {
    parting.abort();
    parting = new AbortController();
    clearTimeout(silence);
    if (channel) channel.close();
    channel = null;
    leading = false;
  }

  /** Leaves them for good, and leads itself. */
  function withdraw() {
    sociable = false;
    part();
    leading = true;
    fate.lead();
  }

  /**
   * @param {string} tab
   * @param {() => void} gone
   */
  function onGone(tab, gone) {
    locks.request(`${name} ${tab}`, { signal: parting.signal }, gone).catch(() => {});
  }

  /** Timers stand still while a computer sleeps; the clock does not. */
  function wake() {
    if (Date.now() - heard > MINUTE) steal();
  }

  return { post, join, part, withdraw, onGone, wake };
}
