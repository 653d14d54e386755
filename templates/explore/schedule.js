// What is drawn when.  Changes within a frame are one; charts in view are drawn within the
// frame's time, in turn, so that none starves; the rest is drawn while nothing else waits.

const FRAME_MS = 9;
const REST_MS = 180;
// A browser that is never idle, as a busy machine's, does the rest after this all the same.
const PATIENCE_MS = 80;

const whenIdle =
  window.requestIdleCallback?.bind(window) ??
  ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 30));

// `host` says whether charts are behind the controls.
function makeSchedule(host, panels, first, slow) {
  let frame = 0;
  let turn = 0;
  let rest = 0;
  let result = null;
  let stale = true;

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const panel = panels.find((one) => one.chart.figure === entry.target);
        panel.visible = entry.isIntersecting;
        if (panel.visible && panel.dirty) wake();
      }
    },
    { rootMargin: "120px" },
  );
  for (const panel of panels) watcher.observe(panel.chart.figure);

  function wake() {
    if (!frame) frame = requestAnimationFrame(run);
  }

  function current() {
    if (stale) {
      result = first();
      stale = false;
    }
    return result;
  }

  function run() {
    frame = 0;
    const begun = performance.now();
    const found = current();
    for (let k = 0; k < panels.length; k += 1) {
      const panel = panels[(turn + k) % panels.length];
      if (!panel.dirty || !panel.visible) continue;
      if (k && performance.now() - begun > FRAME_MS) {
        turn = (turn + k) % panels.length;
        wake();
        return;
      }
      panel.draw(found);
      panel.dirty = false;
    }
  }

  function drawRest() {
    rest = 0;
    const found = current();
    for (const panel of panels) {
      if (!panel.dirty) continue;
      panel.draw(found);
      panel.dirty = false;
    }
    slow.start(found, () => host.setAttribute("aria-busy", "false"));
  }

  return {
    touch() {
      stale = true;
      host.setAttribute("aria-busy", "true");
      for (const panel of panels) panel.dirty = true;
      slow.stop();
      wake();
      clearTimeout(rest);
      rest = setTimeout(() => whenIdle(drawRest, { timeout: PATIENCE_MS }), REST_MS);
    },
    // Everything now, as before printing.
    finish() {
      clearTimeout(rest);
      drawRest();
      slow.finish();
    },
  };
}

// A job in slices: `step(k)` for k below `count`, then `end()`, and `done()` of who started it.
function makeSlowJob(count, begin, step, end) {
  let done = () => {};
  let generation = 0;
  let next = count;

  function slice(mine, deadline) {
    if (mine !== generation) return;
    const begun = performance.now();
    const late = () => deadline.didTimeout && performance.now() - begun < FRAME_MS;
    do {
      step(next);
      next += 1;
    } while (next < count && (deadline.timeRemaining() > 4 || late()));
    if (next < count) whenIdle((later) => slice(mine, later), { timeout: PATIENCE_MS });
    else close();
  }

  function close() {
    end();
    done();
  }

  return {
    start(then) {
      done = then;
      generation += 1;
      next = 0;
      begin();
      const mine = generation;
      whenIdle((deadline) => slice(mine, deadline), { timeout: PATIENCE_MS });
    },
    stop() {
      generation += 1;
    },
    finish() {
      generation += 1;
      if (next >= count) return;
      for (; next < count; next += 1) step(next);
      close();
    },
  };
}
