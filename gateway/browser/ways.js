// @ts-check
/**
 * The three ways to a server, best first: a WebSocket; a stream of events; asking again and again. Each delivers the
 * same messages. What a browser says over the latter two goes by POST to an inbox that the welcome names.
 *
 * A way that was closed says nothing more.
 */

/**
 * @typedef {(message: any) => void} Hear  Undefined if it was no JSON.
 * @typedef {(close?: { code?: number, reason?: string }) => void} Ended
 * @typedef {{ close: () => void, send?: (text: string) => void }} Link
 */

/**
 * @param {string} text
 * @returns {any}
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @type {Array<{ path: string, open: (url: URL, hear: Hear, ended: Ended) => Link }>} */
const WAYS = [
  {
    path: 'ws',
    open(url, hear, ended) {
      url.protocol = url.protocol.replace('http', 'ws');
      const socket = new WebSocket(url);
      socket.onmessage = ({ data }) => hear(parsed(data));
      socket.onclose = ended;
      return {
        send: (text) => socket.send(text),
        close() {
          // A close may take the browser minutes.
          socket.onmessage = socket.onclose = null;
          socket.close();
        },
      };
    },
  },
  {
    path: 'events',
    open(url, hear, ended) {
      const source = new EventSource(url);
      source.onmessage = ({ data }) => hear(parsed(data));
      // By itself it would come back as if it had never been here.
      source.onerror = () => ended();
      return source;
    },
  },
  {
    path: 'poll',
    open(url, hear, ended) {
      const closing = new AbortController();
      const { signal } = closing;
      async function ask() {
        const answer = await fetch(url, { signal });
        const { session, messages } = await answer.json();
        url.searchParams.set('session', session);
        // No news are a sign of life.
        for (const message of messages.length ? messages : [{ type: 'tick' }]) if (!signal.aborted) hear(message);
        if (!signal.aborted) await ask();
      }
      ask().catch(() => signal.aborted || ended());
      return { close: () => closing.abort() };
    },
  },
];
