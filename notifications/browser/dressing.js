// @ts-check
/**
 * Dresses the banner in browsers that take no style sheet made by a script (before Chromium 73, Firefox 101 and Safari
 * 16.4). Part of the supplement: none of the others needs it.
 *
 * The rules are those of the banner, written into each element by hand, and again at each change; no dark, no hovering,
 * nothing moves.
 */

const { banner, bannerStyle } = /** @type {any} */ (document.currentScript).loa;

function dressByHand() {
  banner.style.cssText = '';
  banner.querySelectorAll('*').forEach((/** @type {HTMLElement} */ element) => (element.style.cssText = ''));
  bannerStyle.split('@')[0].replace(/([^{}]+){([^{}]+)}/g, (/** @type {string[]} */ ...[, selector, rules]) => {
    if (selector.includes(':')) return '';
    for (const element of document.querySelectorAll(selector.replace(/&/g, 'loa-banner'))) {
      /** @type {HTMLElement} */ (element).style.cssText += rules;
    }
    return '';
  });
}

if (banner) {
  const changes = { childList: true, subtree: true, attributeFilter: ['severity', 'hidden'] };
  new MutationObserver(dressByHand).observe(banner, changes);
  dressByHand();
}
