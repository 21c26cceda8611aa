// Loaded into the process of each test file whose failed tests may leave a socket or a browser open: ends it once all its
// tests have ended and all that it reported is written.
//
// Node's own --test-force-exit loses reports (findings/force-exit-loses-reports.sh).
import { after } from "node:test";

/** So many turns of the event loop, `TURN_MS` apart, are enough for the reports. Time alone is not: a process may be stalled. */
const TURNS = 10;
const TURN_MS = 20;

/** The process of a test file, not the one that runs them all. */
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    let turns = 0;
    // Fires only where something is left open: the timer itself keeps no process alive.
    setInterval(() => {
      turns += 1;
      if (turns < TURNS || process.stdout.writableLength > 0) return;
      console.error(`Left open: ${process.getActiveResourcesInfo().join(", ")}`);
      process.exit();
    }, TURN_MS).unref();
  });
}
