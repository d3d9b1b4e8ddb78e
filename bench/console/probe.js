// What a reader waits for, told by the browser itself: when a selector first matched and was painted, events that took
// long to be answered (Event Timing), and long tasks.
window.castorProbe = { firsts: {}, events: [], tasks: [] };
(() => {
  const probe = window.castorProbe;
  const look = () => {
    for (const selector of window.castorNumbers) {
      if (probe.firsts[selector] !== undefined || !document.querySelector(selector)) continue;
      probe.firsts[selector] = null;
      // The frame after the next one has it on the screen.
      requestAnimationFrame(() => setTimeout(() => (probe.firsts[selector] = performance.timeOrigin + performance.now())));
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  const keep = (list, type, options) =>
    new PerformanceObserver((found) => list.push(...found.getEntries().map(({ name, duration }) => ({ name, duration })))).observe({ type, ...options });
  keep(probe.events, "event", { durationThreshold: 16, buffered: true });
  keep(probe.tasks, "longtask", { buffered: true });
})();
