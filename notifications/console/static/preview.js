// Stands before the widget in the frame of a preview, and takes the place of its connection: what the page around the
// frame says is what the widget hears. It is the widget that portals embed; nothing of it is changed.
(() => {
  'use strict';

  const dark = document.documentElement.classList.contains('dark');
  /** The latest connection of the widget, there being no other. */
  let line = null;
  /** What is to be shown; as a welcome for one who comes later. */
  let shown = null;
  // Each change is a newer revision to the widget, but none to a reader: less than one step of a real one.
  let changes = 0;

  const instant = (ms = 0) => new Date(Date.now() + ms).toISOString();

  function announcement() {
    const { severity, test, corrected, at, text } = shown;
    const step = (corrected ? 1 : 0) + (changes += 1) / 1e6;
    const updated = new Date(at || Date.now()).toISOString();
    return {
      id: 'preview', revision: step, again: step, status: 'live', severity, test,
      title: text.title, body: text.body, url: text.url, language: text.language,
      published_at: corrected ? instant(-60000) : updated, updated_at: updated, expires_at: instant(3600000),
    };
  }

  const say = (message) => line && line.onmessage && line.onmessage({ data: JSON.stringify(message) });

  function show() {
    if (shown && shown.text.title.trim()) say({ type: 'announcement', ...announcement() });
    else say({ type: 'welcome', ...greeting(), announcements: [] });
  }

  const greeting = () => ({
    site: 'preview', now: instant(), reconnect: { base_ms: 60000, cap_ms: 60000 }, visitor: '', identity: 'session',
    language: document.documentElement.lang, online: 1, as_of: instant(), stale: false, full: true, cursor: '',
  });

  window.WebSocket = class {
    constructor() {
      line = this;
      this.readyState = 1;
      setTimeout(() => {
        const announcements = shown && shown.text.title.trim() ? [announcement()] : [];
        say({ type: 'welcome', ...greeting(), announcements });
        parent.postMessage('ready', '*');
      });
      // The widget leaves a server that says nothing.
      setInterval(() => say({ type: 'tick' }), 20000);
    }

    send() {}

    close() {}
  };

  // Light or dark is for the page around to say, not for this computer's settings.
  const { replaceSync } = CSSStyleSheet.prototype;
  CSSStyleSheet.prototype.replaceSync = function replace(text) {
    return replaceSync.call(this, text.replace(/\(prefers-color-scheme:\s*dark\)/g, dark ? '(min-width:0)' : '(max-width:0)'));
  };

  // A link is looked at, not followed.
  document.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('a')) event.preventDefault();
  }, true);

  window.addEventListener('message', ({ source, origin, data }) => {
    // Where this page came from is where the page around it must come from.
    if (source !== parent || origin !== location.origin || !data || !data.text) return;
    shown = data;
    show();
  });
})();
