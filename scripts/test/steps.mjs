// The steps of `npm test`, cheap ones first.
//
// Each has a name to run it alone, the part of the set-up that it needs, and work that throws
// when it fails. Work gets the files that it is narrowed to, if any, the pattern of the tests' names,
// and whether the run is of all steps. Work that runs tests returns what the runner printed, for the
// count. `quick` steps need neither workerd nor a browser.
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { buildGenerator } from "../../bench/generator.mjs";
import { build } from "../build.mjs";
import { reportSizes } from "../build/sizes.mjs";
import { checkCompatibility } from "../compatibility.mjs";
import { dryRun } from "../deploy.mjs";
import { at, build as built, npmBin, root } from "../paths.mjs";
import { run } from "../processes.mjs";
import { buildServer } from "../service/native.mjs";
import { WASM, chromium, nativeEnv, neededTool, wasmEnv } from "../toolchain.mjs";
import { checkInlineJavaScript, checkLogs, checkPureCrates, checkWorkerImports, pureCrates } from "./checks.mjs";
import { checkCircles } from "./circles.mjs";
import { checkLinks, checkSources } from "./documents.mjs";
import { newFailures, readFailures } from "./failures.mjs";
import { alone, idle, ofOtherHosts, ofSeveralShards, sideBySide, testFiles } from "./files.mjs";
import { checkTestNames } from "./names.mjs";
import { needsOf } from "./needs.mjs";
import { newRecord, recordCargo } from "./record.mjs";
import { checkExamples, checkTypes } from "./types.mjs";
import { checkWords } from "./words.mjs";

/**
 * What a run of steps is narrowed to: files, and the pattern of the tests' names; and whether it is of all steps.
 * @typedef {{ files: string[], pattern?: string, host: string, whole: boolean }} Part
 *
 * A step: its name, the group that it is run with, the part of the set-up that it needs, and its work.
 * @typedef {{
 *   name: string, group?: string, title: string, needs: Purpose | ((files: string[]) => Purpose[]), quick?: boolean,
 *   tests?: boolean, talks?: boolean, takesFiles?: boolean, applies?: () => boolean,
 *   work(part: Part): unknown,
 * }} Step
 *
 * @typedef {import("../setup.mjs").Purpose} Purpose
 */

/** Where the end-to-end tests keep what the service says. */
const logs = join(built, "test-logs");

/** No file and no run of the end-to-end tests takes this long unless it hangs. */
const FILE_LIMIT_MS = 10 * 60_000;
const E2E_LIMIT_MS = 45 * 60_000;

/** How many end-to-end files run at a time: with two of them, most of two cores is idle; four gain nothing beside builds. */
const AT_A_TIME = 3;

/** @typedef {NonNullable<Parameters<typeof run>[2]>} RunOptions */

const native = (/** @type {string[]} */ args, /** @type {RunOptions} */ options = {}) =>
  run("cargo", args, { cwd: root, env: nativeEnv(), ...options });
const wasm = (/** @type {string[]} */ args, /** @type {RunOptions} */ options = {}) =>
  run("cargo", args, { cwd: root, env: wasmEnv(), ...options });

/**
 * Runs test files, `concurrency` of them at a time. `record` is the step that they are all of, if they are; `pattern` is
 * what the names of the tests to run match. Where a test that failed half-way `leavesOpen` a socket or a browser, that is
 * not waited for.
 * @param {string[]} files
 * @param {{ record?: string, pattern?: string, concurrency?: number, leavesOpen?: boolean, env?: NodeJS.ProcessEnv, limit?: number }} options
 */
async function nodeTests(files, { record, pattern, concurrency = 1, leavesOpen = false, ...options } = {}) {
  const script = (/** @type {string} */ file) => pathToFileURL(at("scripts", "test", file)).href;
  const failures = newFailures();
  const reporters = {
    spec: "stdout",
    [script("failures.mjs")]: failures,
    ...(record && { [script("record.mjs")]: newRecord(record) }),
  };
  const reporting = Object.entries(reporters).flatMap(([reporter, to]) => [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${to}`,
  ]);
  const only = pattern === undefined ? [] : [`--test-name-pattern=${pattern}`];
  const args = [
    "--test",
    ...reporting,
    `--test-concurrency=${concurrency}`,
    ...(leavesOpen ? [`--import=${script("left-open.mjs")}`] : []),
    `--test-timeout=${FILE_LIMIT_MS}`,
    ...only,
    ...files,
  ];
  try {
    return await run(process.execPath, args, { cwd: root, echo: true, failure: "node --test", ...options });
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { failed: readFailures(failures) }) : error;
  } finally {
    rmSync(failures, { force: true });
  }
}

/**
 * Runs test files against real services, none of which may panic.
 * @param {string[]} files
 * @param {Parameters<typeof nodeTests>[1] & { host?: string, shards?: "fewest" | "most" }} options
 */
async function endToEnd(files, { host = "workerd", shards, ...options }) {
  const env = { ...process.env, CHROMIUM: chromium(), TEST_HOST: host, ...(shards && { TEST_SHARDS: shards }) };
  const output = await nodeTests(files, { ...options, leavesOpen: true, env, limit: E2E_LIMIT_MS });
  checkLogs(logs);
  return output;
}

/**
 * Builds what later steps need beside tests that mostly wait. A build that fails does so again, and is reported, in the
 * step that needs it.
 */
const buildAhead = () => Promise.allSettled([buildServer({ ahead: true }), buildGenerator({ ahead: true })]);

/** @type {Step[]} */
export const steps = [
  {
    name: "fmt",
    group: "lint",
    title: "Formatting",
    needs: "quick",
    quick: true,
    work: () => native(["fmt", "--all", "--check"]),
  },
  {
    name: "pure",
    group: "lint",
    title: "Pure crates name no platform, and no files import each other in a circle",
    needs: "quick",
    quick: true,
    work: () => {
      checkPureCrates();
      checkCircles();
    },
  },
  {
    name: "sources",
    group: "lint",
    title: "Sources in docs/spec",
    needs: "quick",
    quick: true,
    work: checkSources,
  },
  {
    name: "links",
    group: "lint",
    title: "Links between documents",
    needs: "quick",
    quick: true,
    work: checkLinks,
  },
  {
    name: "words",
    group: "lint",
    title: "Retired words (docs/glossary.md)",
    needs: "quick",
    quick: true,
    work: checkWords,
  },
  {
    name: "test-names",
    group: "lint",
    title: "Names of tests, 60 characters at most",
    needs: "quick",
    quick: true,
    work: checkTestNames,
  },
  {
    name: "inline-js",
    group: "lint",
    title: "No JavaScript in Rust strings",
    needs: "quick",
    quick: true,
    work: checkInlineJavaScript,
  },
  {
    name: "javascript",
    group: "lint",
    title: "Lints and formatting, JavaScript and TypeScript",
    needs: "quick",
    quick: true,
    work: () => run(npmBin("biome"), ["check", "--error-on-warnings"], { cwd: root, failure: "biome check" }),
  },
  {
    name: "types",
    group: "lint",
    title: "Types, JavaScript and TypeScript",
    needs: "quick",
    quick: true,
    work: checkTypes,
  },
  {
    name: "scripts",
    title: "Tests of the scripts and the worker's TypeScript",
    needs: "quick",
    quick: true,
    tests: true,
    work: () => nodeTests([...testFiles("scripts"), ...testFiles("worker")]),
  },
  {
    name: "clippy",
    group: "lint",
    title: "Lints, native",
    needs: "quick",
    quick: true,
    work: () =>
      native(["clippy", "--locked", "--all-targets", "--features", "webpubsub/service-tests", "--", "-D", "warnings"]),
  },
  {
    name: "doc",
    group: "lint",
    title: "Documentation of the crates",
    needs: "quick",
    quick: true,
    work: () =>
      run("cargo", ["doc", "--locked", "--no-deps", "--document-private-items"], {
        cwd: root,
        env: { ...nativeEnv(), RUSTDOCFLAGS: "-D warnings" },
      }),
  },
  {
    name: "clippy-wasm",
    group: "lint",
    title: "Lints, wasm32",
    needs: "lint",
    work: () =>
      wasm([
        "clippy",
        "--locked",
        "--all-targets",
        "--target",
        WASM,
        "-p",
        "webpubsub-worker",
        "-p",
        "webpubsub-client",
        "-p",
        "webpubsub-client-groups",
        "-p",
        "webpubsub",
        "-p",
        "webpubsub-client-protobuf",
        "--",
        "-D",
        "warnings",
      ]),
  },
  {
    name: "pure-wasm",
    group: "lint",
    title: "Pure crates compile for wasm32",
    needs: "lint",
    work: () => wasm(["check", "--locked", "--target", WASM, ...pureCrates.flatMap((crate) => ["-p", crate])]),
  },
  {
    name: "native",
    title: "Native tests",
    needs: "quick",
    quick: true,
    tests: true,
    async work() {
      const output = await native(["test", "--locked"], { echo: true });
      recordCargo("native", output);
      return output;
    },
  },
  {
    // Building the npm package checks its TypeScript, too.
    name: "build",
    title: "Build and sizes",
    needs: "build",
    async work() {
      await build({ packages: true });
      reportSizes();
    },
    talks: true,
  },
  {
    name: "imports",
    title: "The worker's wasm imports no env",
    needs: "build",
    work: checkWorkerImports,
  },
  {
    name: "deploy",
    title: "Deployment, dry run",
    needs: "build",
    work: () => dryRun(),
  },
  {
    name: "wasm",
    title: "Tests of the clients' shells for browsers, in headless Chromium",
    needs: "test",
    tests: true,
    async work() {
      let output = "";
      for (const crate of ["webpubsub-client", "webpubsub"])
        output += await run(
          neededTool("wasm-pack"),
          ["test", "--headless", "--chrome", "--mode", "no-install", at("crates", crate), "--locked"],
          { cwd: root, env: wasmEnv(), echo: true, failure: "wasm-pack test" },
        );
      return output;
    },
  },
  {
    name: "packaging",
    title: "Packaging of the npm packages",
    needs: "packaging",
    tests: true,
    applies: () => testFiles("packaging").length > 0,
    async work() {
      await build({ packages: true });
      return nodeTests(testFiles("packaging"), { record: "packaging" });
    },
  },
  {
    // Several files at a time: most of a test is waiting.
    name: "e2e",
    title: "End-to-end tests",
    needs: (files) => (files.length > 0 ? needsOf(files) : ["e2e"]),
    tests: true,
    takesFiles: true,
    async work({ files, pattern, host, whole }) {
      rmSync(logs, { recursive: true, force: true });
      await build({ packages: files.some((file) => resolve(file).startsWith(at("tests", "packaging"))) });
      if (host === "native") await buildServer();
      if (files.length > 0) return endToEnd(files, { pattern, host });
      const ahead = whole ? buildAhead() : undefined;
      try {
        return await endToEnd(sideBySide(), {
          concurrency: AT_A_TIME,
          record: host === "native" ? undefined : "e2e",
          host,
        });
      } finally {
        await ahead;
      }
    },
  },
  {
    name: "alone",
    group: "e2e",
    title: "End-to-end tests that need the machine to themselves",
    needs: "e2e",
    tests: true,
    work: ({ host }) => endToEnd(alone, { record: host === "native" ? undefined : "alone", host }),
  },
  {
    name: "idle",
    group: "e2e",
    title: "End-to-end tests that wait until objects sleep",
    needs: "e2e",
    tests: true,
    work: ({ host }) =>
      endToEnd(idle, { concurrency: idle.length, record: host === "native" ? undefined : "idle", host }),
  },
  {
    // The same tests on the other host, in less time: `npm run e2e -- --host native` has all numbers of shards.
    name: "e2e-native",
    title: "End-to-end tests on the native server",
    needs: "e2e",
    tests: true,
    async work() {
      await build();
      await buildServer();
      const isMeant = (/** @type {string} */ file) => !ofOtherHosts.some((path) => file.startsWith(path));
      const on = (
        /** @type {string[]} */ files,
        /** @type {"fewest" | "most"} */ shards,
        /** @type {number} */ concurrency,
      ) => endToEnd(files, { host: "native", shards, concurrency });
      return [
        await on(sideBySide().filter(isMeant), "fewest", AT_A_TIME),
        await on(ofSeveralShards, "most", AT_A_TIME),
        await on([...alone, ...idle].filter(isMeant), "fewest", 1),
      ].join("\n");
    },
  },
  {
    // What only one machine has: a disk, kills, TLS, crowds of peers.
    name: "server",
    group: "e2e",
    title: "The native server and its machine",
    needs: "e2e",
    tests: true,
    async work() {
      await build();
      await buildServer();
      return endToEnd(testFiles("native"), { record: "server" });
    },
  },
  {
    name: "examples",
    group: "e2e",
    title: "Examples, as their READMEs say",
    needs: "e2e",
    tests: true,
    async work() {
      await build();
      await checkExamples();
      return endToEnd(testFiles("examples"), { record: "examples" });
    },
  },
  {
    // Last, for it reads what the others recorded, all of them in a whole run.
    name: "compatibility",
    title: "COMPATIBILITY.md",
    needs: "quick",
    quick: true,
    work: ({ whole }) =>
      checkCompatibility({ ran: whole ? ["native", "packaging", "e2e", "alone", "idle", "examples"] : [] }),
  },
];
