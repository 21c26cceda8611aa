// The small commands as they are typed: what they print, where, and how they end.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { at } from "../../scripts/paths.mjs";
import { cases } from "../support/cases.mjs";
import { portOf } from "../support/port.mjs";

function type(script, ...args) {
  const { WebPubSubConnectionString: _, ...others } = process.env;
  const env = { ...others, WEBPUBSUB_ACCESS_KEY: "k" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [at("scripts", `${script}.mjs`), ...args], {
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("connection-string prints the connection string alone", () => {
  assert.deepEqual(type("connection-string", "--port", "82"), {
    status: 0,
    stdout: "Endpoint=http://localhost:82;AccessKey=k;Version=1.0;\n",
    stderr: "",
  });
  assert.match(
    type("connection-string", "--port", "81", "--host", "h.example").stdout,
    /^Endpoint=http:\/\/h\.example:81;/,
  );
});

test("client-url prints one URL and nothing else", () => {
  const { status, stdout, stderr } = type(
    "client-url",
    "--port",
    "82",
    "--hub",
    "h",
    "--role",
    "webpubsub.sendToGroup",
    "--role",
    "webpubsub.joinLeaveGroups.a?",
    "--group",
    "g",
    "--user",
    "",
  );
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.match(stdout, /^ws:\/\/localhost:82\/client\/hubs\/h\?access_token=[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const claims = JSON.parse(Buffer.from(stdout.split(".")[1], "base64url").toString());
  assert.deepEqual(
    [claims.role, claims["webpubsub.group"], claims.sub],
    [["webpubsub.sendToGroup", "webpubsub.joinLeaveGroups.a?"], ["g"], ""],
  );
});

test("client-url says on standard error which roles grant nothing", () => {
  const roles = ["foo", "webpubsub.sendToGroup", "webpubsub.joinLeaveGroups.a\\b"];
  const { status, stdout, stderr } = type(
    "client-url",
    "--port",
    "82",
    "--hub",
    "h",
    ...roles.flatMap((role) => ["--role", role]),
  );
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(Buffer.from(stdout.split(".")[1], "base64url").toString()).role, roles);
  assert.deepEqual(stderr.split("\n"), [
    "--role foo: The service has no such role, and passes over it.",
    "--role webpubsub.joinLeaveGroups.a\\b: A backslash stands before *, ? or another backslash only.",
    "Roles are webpubsub.sendToGroup and webpubsub.joinLeaveGroup, each with .GROUP behind it for one group, and webpubsub.sendToGroups.PATTERN and webpubsub.joinLeaveGroups.PATTERN.",
    "",
  ]);
});

test("token prints one token and nothing else", () => {
  const { status, stdout, stderr } = type("token", "--path", "/management/hubs/h", "--port", "81");
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.equal(
    JSON.parse(Buffer.from(stdout.split(".")[1], "base64url").toString()).aud,
    "http://localhost:81/management/hubs/h",
  );
});

test("where no service runs, standard error says so", () => {
  const state = join(tmpdir(), "no-service-here");
  const expected = {
    status: 0,
    stdout: "Endpoint=http://localhost:8080;AccessKey=k;Version=1.0;\n",
    stderr: `No service runs on the state folder ${state}: this is for http://localhost:8080.\n`,
  };
  assert.deepEqual(type("connection-string", "--state", state), expected);
});

const scripts = JSON.parse(readFileSync(at("package.json"), "utf8")).scripts;
for (const [name, line] of Object.entries(scripts)) {
  test(`npm run ${name} -- --help describes the command, with examples`, () => {
    const [, script, more] = line.match(/node scripts\/([\w-]+)\.mjs ?(.*)$/);
    const { status, stdout, stderr } = type(script, ...more.split(" ").filter(Boolean), "--help");
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    assert.match(stdout, /^npm \S+.*\n\n\S[^]*\n\nOptions, after --:\n( {2}--[^]*\n)+\nExamples:\n {2}\S/);
    assert.ok(stdout.includes("--help  "));
  });
}

/** The npm packages that a file and those that it imports need before a line of them runs. */
function packagesAtStart(file, seen = new Set()) {
  // Such an import may stand in the text of a worker, too.
  if (seen.has(file) || !existsSync(file)) return [];
  seen.add(file);
  const found = readFileSync(file, "utf8").matchAll(/^(?:import|export)\b(?:[^;"]*? from)? ?"([^"]+)";$/gm);
  return [...found].flatMap(([, path]) => {
    if (path.startsWith("node:")) return [];
    return path.startsWith(".") ? packagesAtStart(join(dirname(file), path), seen) : [`${path} of ${file}`];
  });
}

test("no command needs a package before it has installed them", () => {
  for (const line of Object.values(scripts)) {
    const [, script] = line.match(/node (scripts\/[\w-]+\.mjs)/);
    assert.deepEqual(packagesAtStart(at(script)), [], line);
  }
});

test("help says every flag of start and serve", () => {
  for (const script of ["start", "serve"]) {
    const { stdout } = type(script, "--port", "1", "-h");
    for (const flag of ["port", "host", "https", "https-port", "cert", "key", "state", "shards", "settings", "var"])
      assert.match(stdout, new RegExp(`^ {2}--${flag} `, "m"));
  }
});

test("the URL of a service that is said is used", () => {
  assert.equal(
    type("connection-string", "--endpoint", "https://service.example").stdout,
    "Endpoint=https://service.example;AccessKey=k;Version=1.0;\n",
  );
  assert.equal(
    type("connection-string", "--https", "--port", "81").stdout,
    "Endpoint=https://localhost:81;AccessKey=k;Version=1.0;\n",
  );
  assert.match(type("client-url", "--hub", "h", "--https").stdout, /^wss:\/\/localhost:8443\/client\/hubs\/h\?/);
});

const wrong = cases([
  ["client-url", [], /^--hub is missing: .*\n$/],
  ["client-url", ["--hub", "1"], /^--hub must be .*\n$/],
  ["client-url", ["--hub", "h", "--minutes", "0"], /^--minutes must be .*\n$/],
  ["client-url", ["--hub", "h", "--group", " "], /^--group must be .*\n$/],
  ["client-url", ["--hub", "h", "--group", ".."], /^--group must be .*\n$/],
  ["client-url", ["--hub", "h", "--user", "."], /^--user must be .*\n$/],
  ["client-url", ["--hub", "h", "--nope"], /^Unknown option --nope.*\n$/],
  ["token", [], /^--path must be .*\n$/],
  ["token", ["--path", "hubs"], /^--path must be .*\n$/],
  ["connection-string", ["--port", "x"], /^--port must be .*\n$/],
  ["serve", ["--shards", "0"], /^--shards must be .*\n$/],
  [
    "serve",
    ["--var", "SHARD_SOFT_LIMT=9"],
    /^There is no variable SHARD_SOFT_LIMT\. Did you mean SHARD_SOFT_LIMIT\?\n$/,
  ],
  ["serve", ["--cert", "nowhere.pem", "--key", "nowhere.pem"], /^--cert: .* cannot be read \(ENOENT\)\.\n$/],
  ["serve", ["--port", "0", "--state", at("package.json")], /^The state folder .* --state DIR\.\n$/],
  ["serve", ["--port", "0", "--log-file", at("package.json", "log")], /^--log-file: .* cannot be written .*\n$/],
  ["start", ["--var", "RECOVERY_WINDOW_SECONDS=0"], /^RECOVERY_WINDOW_SECONDS must be .*\n$/],
  ["build", ["all"], /^npm run build takes no options and nothing else\. .*\n$/],
  ["setup", ["everything"], /^npm run setup takes one of .*\n$/],
  ["test", ["--only", "nothing"], /^There is no step nothing\. .*\n$/],
  ["example", ["chatt"], /^There is no example chatt, .* Did you mean chat\?\n$/],
  ["example", ["rust-iot"], /^rust-iot is a program in Rust, .* examples\/rust-iot\/README\.md\.\n$/],
  ["fuzz", ["--seed", "x"], /^--seed must be .*\n$/],
  ["fuzz", ["--from", "0.5"], /^--from must be .*\n$/],
  ["fuzz", ["--count", "0"], /^--count must be .*\n$/],
  ["fuzz", ["--only"], /^--only needs a value\.\n$/],
  ["fuzz", ["filter"], /^npm run fuzz takes --only, --seed, --from, --count and nothing else\. .*\n$/],
  ["simulate", ["--seeds", "0"], /^--seeds must be .*\n$/],
  ["simulate", ["--seed", "-1"], /^--seed .*\n$/],
  ["simulate", ["--steps", "1e3"], /^--steps must be .*\n$/],
  ["simulate", ["--disk", "tape"], /^There is no disk tape\. npm run simulate takes --disk memory\|sqlite\.\n/],
  ["simulate", ["7"], /^npm run simulate takes --seed, --seeds, --steps, --disk, --bug and nothing else\. .*\n$/],
  ["chaos", ["--kills", "x"], /^--kills must be .*\n$/],
  ["chaos", ["--messages", "0"], /^--messages must be .*\n$/],
  ["broadcast", ["--connections", "0"], /^--connections must be .*\n$/],
]);
for (const [script, args, message] of wrong) {
  test(`${script} ${args.join(" ")} says what is wrong in one line`, () => {
    const { status, stdout, stderr } = type(script, ...args);
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  });
}

test("a log in the state folder leaves that to its user alone", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const state = join(folder, "state");
  const tooLong = join(state, "n".repeat(300));
  const { status, stderr } = type("serve", "--port", "0", "--state", state, "--log-file", tooLong);
  assert.equal(status, 2);
  assert.match(stderr, /^--log-file: .* cannot be written \(ENAMETOOLONG\)\.\n$/);
  assert.equal(statSync(state).mode & 0o777, 0o700);
});

test("a port in use is said before anything is built", async () => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const port = portOf(server);
  const { status, stderr } = type("serve", "--port", String(port));
  server.close();
  assert.equal(status, 2);
  assert.match(stderr, new RegExp(`^Port ${port} is in use\\..*--port ${port + 1} .*\n$`));
});
