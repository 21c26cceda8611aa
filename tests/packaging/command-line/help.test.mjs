// The command line without a service: what it describes, what it refuses, and what it completes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { after, test } from "node:test";
import { cases } from "../../support/cases.mjs";
import { matched } from "../../support/found.mjs";
import { Installed } from "./installed.mjs";

const built = Installed.built();
after(() => built.remove());
const type = (...args) => built.type(args);

const help = (await type("--help")).stdout;
/** Each line of the commands begins with a name, in one or two words, in small letters. */
const names = help
  .slice(help.indexOf("Commands:\n"), help.indexOf("\n\nExit codes"))
  .split("\n")
  .slice(1)
  .map((line) => matched(/^ {2}([a-z-]+(?: [a-z]+)?)/, line)[1]);

test("help without a command names all of them", () => {
  for (const name of ["dev", "serve", "send", "listen", "hubs set", "handlers test", "deliveries", "metrics"])
    assert.ok(names.includes(name), `${name} of ${names}`);
  assert.match(help, /^Exit codes:\n {2}0 {2}/m);
});

for (const name of names) {
  test(`${name} --help describes the command, with examples`, async () => {
    const described = await type(...name.split(" "), "--help");
    assert.deepEqual([described.status, described.stderr], [0, ""]);
    assert.ok(described.stdout.startsWith(`npx webpubsub-edge ${name}`));
    assert.match(described.stdout, /\n\n\S[^]*\n\nOptions:\n( {2}--[^]*\n)+\nExamples:\n {2}\S/);
    assert.doesNotMatch(described.stdout, /npm (run|start)/);
    assert.deepEqual(await type("help", ...name.split(" ")), described);
  });
}

test("a group of commands is described by its name alone", async () => {
  const { status, stdout } = await type("hubs");
  assert.equal(status, 0);
  assert.match(stdout, /hubs list .*\n.*hubs get HUB .*\n.*hubs set HUB \[FILE\] /);
});

test("the version is printed", async () => {
  assert.match((await type("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
});

const refused = cases([
  [["sned"], /^There is no command sned\. Did you mean send\? There are dev, /],
  [["hubs", "lst"], /^There is no command hubs lst\. Did you mean hubs list\? There are hubs list, hubs get, /],
  [["send"], /^npx webpubsub-edge send needs HUB: npx webpubsub-edge send HUB \[DATA\]\. /],
  [["send", "h", "a", "b"], /^npx webpubsub-edge send takes no b: /],
  [["send", "h", "a", "--nope"], /^Unknown option --nope\. npx webpubsub-edge send takes --group, /],
  [["serve", "--port", "x"], /^--port must be a whole number /],
  [["dev", "--var", "NOPE=1"], /^There is no variable NOPE\. /],
  [["hubs", "list"], /^No service was started in this folder, .*--connection-string TEXT .* npx webpubsub-edge dev\n$/],
  [["completion", "sh"], /^SHELL must be one of bash, zsh, fish, not "sh"\.\n$/],
]);
for (const [args, message] of refused) {
  test(`"${args.join(" ")}" is refused, with exit code 2`, async () => {
    const { status, stdout, stderr } = await type(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, message);
  });
}

const strings = cases([
  ["nothing in it", "it is no", /a part of it is not Name=Value/],
  ["no key", "Endpoint=https://h;Version=1.0;", /it has no AccessKey/],
  ["no endpoint", "AccessKey=secret;Version=1.0;", /it has no Endpoint/],
  ["another version", "Endpoint=https://h;AccessKey=secret;Version=2.0;", /its Version is not 1\.0/],
  ["a name twice", "Endpoint=https://h;AccessKey=secret;AccessKey=secret;", /it has AccessKey twice/],
  ["a wrong endpoint", "Endpoint=ftp://h;AccessKey=secret;", /its Endpoint is not http/],
  ["a wrong port", "Endpoint=https://h;AccessKey=secret;Port=0;", /its Port is not a number/],
]);
for (const [what, text, message] of strings) {
  test(`a connection string with ${what} is refused`, async () => {
    for (const options of [
      { args: ["--connection-string", text], env: {} },
      { args: [], env: { WebPubSubConnectionString: text } },
    ]) {
      const { status, stderr } = await built.type(["hubs", "list", ...options.args], { env: options.env });
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.ok(!stderr.includes("secret"), stderr);
    }
  });
}

test("a service that is not there ends with exit code 3", async () => {
  const where = ["--connection-string", "Endpoint=http://localhost:20001;AccessKey=k;"];
  for (const args of [["hubs", "list"], ["metrics"], ["send", "h", "x"], ["listen", "h"]]) {
    const { status, stderr } = await type(...args, ...where);
    assert.equal(status, 3, stderr);
    assert.match(stderr, /^No service answers at http:\/\/localhost:20001 \(ECONNREFUSED\)\. Start it: .* dev\n$/);
  }
  // Its port is no status.
  const { status, stderr } = await type(
    "listen",
    "h",
    "--connection-string",
    "Endpoint=http://localhost:503;AccessKey=k;",
  );
  assert.equal(status, 3, stderr);
});

test("the shell's words are completed", async () => {
  const complete = async (...words) => (await type("complete", "--", ...words)).stdout.split("\n").filter(Boolean);
  assert.deepEqual(await complete("s"), ["serve", "send"]);
  assert.deepEqual(await complete("hubs", ""), ["list", "get", "set", "delete"]);
  assert.deepEqual(await complete("send", "chat", "--g"), ["--group"]);
  assert.deepEqual(await complete("send", "cha"), []);
});

test("bash completes by what completion prints", async () => {
  const script = (await type("completion", "bash")).stdout;
  const program = `webpubsub-edge() { "${process.execPath}" "${path.join(built.package, "bin", "webpubsub-edge.mjs")}" "$@"; }
${script}
COMP_WORDS=(webpubsub-edge hubs l); COMP_CWORD=2; _webpubsub_edge; echo "\${COMPREPLY[@]}"`;
  assert.equal(spawnSync("bash", ["-c", program], { encoding: "utf8" }).stdout, "list\n");
});
