// Acts with a reason: opened by one key press, and the button that does it has the focus for the next.
(() => {
  'use strict';

  const acts = [...document.querySelectorAll('[data-act]')];
  for (const act of acts) {
    act.addEventListener('toggle', () => {
      if (!act.open) return;
      for (const other of acts) if (other !== act) other.open = false;
      const field = act.querySelector('textarea');
      // Where a reason has to be found the field comes first.
      (field.value ? act.querySelector('[data-do]') : field).focus();
    });
    act.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !act.open) return;
      act.open = false;
      act.querySelector('summary').focus();
    });
  }
})();
