// @ts-check
/**
 * What the reader does with the page: reads it, has left it untouched for a minute, or has it in the background.
 *
 * A move of the mouse costs the look at a clock. There is one timer, and none while nobody reads.
 */

const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'scroll', 'touchmove'];

/** @param {(state: 'reading' | 'idle' | 'background') => void} turned  Told what it is now, and whenever that changes. */
function watchAttention(turned) {
  let state = '';
  let touched = Date.now();
  let timer = 0;

  function look() {
    clearTimeout(timer);
    const left = touched + MINUTE - Date.now();
    const now = document.hidden ? 'background' : left > 0 ? 'reading' : 'idle';
    if (now === 'reading') timer = setTimeout(look, left);
    if (now !== state) turned((state = now));
  }

  function touch() {
    touched = Date.now();
    if (state === 'idle') look();
  }

  TOUCHES.forEach((type) => addEventListener(type, touch, { passive: true, capture: true }));
  document.addEventListener('visibilitychange', () => {
    touched = Date.now();
    look();
  });
  look();
}
