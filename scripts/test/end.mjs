// Loaded into each test file's process: ends it a while after its last test.
//
// A test that failed half-way can leave a socket or a browser open, which is not to be waited for. Node's own
// `--test-force-exit` ends a process before what it reported has been read, and tests that passed are not counted.
import { after } from "node:test";

/** Milliseconds that a process has to write its reports. */
const REPORTING_MS = 2000;

// The runner's own process runs no test.
if (process.env.NODE_TEST_CONTEXT) after(() => void setTimeout(() => process.exit(), REPORTING_MS).unref());
