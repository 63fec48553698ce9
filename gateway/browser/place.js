// @ts-check
/**
 * Where on the site the page is, also when it becomes another one without being loaded anew.
 *
 * What the script element says goes before the address bar, and is read again whenever it changes.
 */

function place() {
  const { path = '', section = '' } = /** @type {HTMLScriptElement} */ (script).dataset;
  // As the address bar would write it, however the page does.
  return { path: new URL(path, location.href).pathname.slice(0, 512), section };
}

/** @param {() => void} moved  Told when the place may be another one. */
function watchPlace(moved) {
  const { navigation } = /** @type {any} */ (window);
  let timer = 0;

  /** At most so often the server is told: a page may write its address at every scroll. */
  function soon() {
    timer =
      timer ||
      setTimeout(() => {
        timer = 0;
        moved();
      }, 200);
  }

  new MutationObserver(soon).observe(/** @type {HTMLScriptElement} */ (script), {
    attributeFilter: ['data-path', 'data-section'],
  });
  try {
    // An element of this name would be a global, too.
    if (Object(navigation).currentEntry) {
      navigation.addEventListener('currententrychange', soon);
      return;
    }
    addEventListener('popstate', soon);
    for (const name of /** @type {const} */ (['pushState', 'replaceState'])) {
      // Whoever wrapped it before is called, and whoever wraps it later calls us.
      const before = history[name];
      history[name] = function () {
        // @ts-ignore  Whatever it was called with.
        const result = before.apply(this, arguments);
        soon();
        return result;
      };
    }
  } catch {
    // The page guards its history: then only what the script element says is heard of.
  }
}
