// Which test files run together, and which by themselves.
import { filesUnder } from "../build/inputs.mjs";
import { at } from "../paths.mjs";

/**
 * The test files under a folder of `tests`.
 * @param {string} folder
 */
export const testFiles = (folder) => filesUnder(at("tests", folder)).filter((file) => file.endsWith(".test.mjs"));

/** Tests that run when no other does: they compare times or memory, or use the documents' own folders and ports. */
export const alone = [
  "chaos/chaos",
  "e2e/clients/slow-readers",
  "e2e/event-handlers/order",
  "quickstart/event-handler",
].map((name) => at("tests", `${name}.test.mjs`));

/** Tests that do little but wait until objects sleep, which a busy machine could keep awake: beside each other only. */
export const idle = ["hibernation", "silences"].map((name) => at("tests", "e2e", "reliability", `${name}.test.mjs`));

/** Folders of tests that start no service of their own, or one that is always the same, or that have a step of their own. */
const apart = ["scripts", "worker", "packaging", "examples", "native"].map((name) => at("tests", name));

/** All other end-to-end tests, but for those that need the machine to themselves. */
export const sideBySide = () =>
  testFiles("").filter((file) => ![...apart, ...alone, ...idle].some((path) => file.startsWith(path)));

/** What the native server adds nothing to: a client whose service is a script, deployment. */
export const ofOtherHosts = ["client", "e2e/operations/deploy"].map((name) => at("tests", name));

/** Where several shards of one process do something else than one: what is relayed, recovered, numbered and in order. */
export const ofSeveralShards = [
  "clients/delivery",
  "clients/group-states",
  "clients/order",
  "clients/order-of-many",
  "clients/streams",
  "reliability/recovery",
  "reliability/reliable",
  "reliability/restart",
].map((name) => at("tests", "e2e", `${name}.test.mjs`));
