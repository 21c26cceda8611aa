// Something that is done again and again while a page is looked at.

/** Does `work` now and each time that so many milliseconds have passed; gives what ends it. */
export function every(milliseconds, work) {
  void work();
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") void work();
  }, milliseconds);
  return () => clearInterval(timer);
}
