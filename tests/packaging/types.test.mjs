// The package's types, for the TypeScripts in use and every way of resolving them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { bundlersFolder } from "../../scripts/setup/bundlers.mjs";
import { Project, root, tarball } from "./project.mjs";

const compilers = {
  "TypeScript 7": path.join(root, "node_modules", "typescript", "bin", "tsc"),
  "TypeScript 5.9": path.join(bundlersFolder, "node_modules", "typescript-5.9", "bin", "tsc"),
};
const microsofts = path.join(root, "node_modules", "@azure", "web-pubsub-client-1.1");

const use = `
  import { ConnectError, SendMessageError, WebPubSubClient, WebPubSubJsonProtocol, type WebPubSubResult } from "@webpubsub-edge/client";
  const client = new WebPubSubClient({ getClientAccessUrl: async () => "wss://example.com" }, {
    protocol: WebPubSubJsonProtocol(), autoReconnect: true, messageRetryOptions: { mode: "Exponential" },
    webSocketFactory: (url, protocol) => new WebSocket(url, protocol),
  });
  client.on("connected", ({ connectionId, userId }) => { const id: string = connectionId + userId; });
  client.on("disconnected", ({ code, reason, willReconnect, message }) => { const text: string | undefined = message?.message; });
  client.on("group-message", ({ message }) => { const data: string | number | boolean | object = message.data; message.metadata?.trace; });
  client.on("recovering", (e) => { e.connectionId; });
  // @ts-expect-error
  client.on("conected", () => {});
  // @ts-expect-error
  client.sendToGroup("g", "hi", "xml");
  // @ts-expect-error
  new WebPubSubClient();
  const signal = new AbortController().signal;
  const sent: Promise<WebPubSubResult> = client.sendToGroup("g", new Uint8Array(2), "binary", { noEcho: true, abortSignal: signal });
  client.start({ abortSignal: signal }).catch((error) => {
    if (error instanceof ConnectError) {
      const problem: "invalid-url" | "refused" | "unreachable" = error.problem;
      const words: string | undefined = error.detail;
    }
    if (error instanceof SendMessageError) { const name: string | undefined = error.errorDetail?.name; }
  });`;

for (const [name, tsc] of Object.entries(compilers)) {
  test(`the types are right for ${name}, however they are resolved`, async (t) => {
    const project = await Project.install(t);
    project.write("app.mts", `${use}\nimport { init } from "@webpubsub-edge/client/slim"; init("/core.wasm");`);
    project.write("app.cts", use);
    project.write("app.ts", use);
    const check = (...args) =>
      project.node(tsc, "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", ...args);
    await check("--module", "nodenext", "app.mts", "app.cts");
    await check("--module", "esnext", "--moduleResolution", "bundler", "app.ts", "app.mts");
    // TypeScript 7 knows it no more.
    if (name === "TypeScript 7") return;
    await check("--module", "commonjs", "--moduleResolution", "node10", "app.ts");
    for (const module of ["protobuf", "server"])
      project.write(`${module}.ts`, `import * as all from "@webpubsub-edge/client/${module}"; void all;`);
    await check("--module", "commonjs", "--moduleResolution", "node10", "protobuf.ts", "server.ts");
  });
}

/** The names that a declaration file of Microsoft's client exports, those of the files that it re-exports included. */
function exportedNames(file) {
  const text = readFileSync(file, "utf8");
  const own = [
    ...text.matchAll(/^export (?:declare )?(?:abstract )?(?:class|const|enum|function|interface|type) (\w+)/gm),
  ].map(([, name]) => name);
  const others = [...text.matchAll(/^export (?:type )?\* from "(.+)\.js"/gm)].map(([, from]) =>
    exportedNames(path.join(path.dirname(file), `${from}.d.ts`)),
  );
  // A form that is not looked for here would be a name that is missed.
  assert.equal(text.match(/^export\b/gm)?.length ?? 0, own.length + others.length, file);
  return [...own, ...others.flat()];
}

/** What a script can import, as opposed to what only types name. */
const values = [
  "InvocationError",
  "SendMessageError",
  "WebPubSubClient",
  "WebPubSubJsonProtocol",
  "WebPubSubJsonReliableProtocol",
];

const theirTypes = path.join(microsofts, "dist", "esm", "index.d.ts");

/** Checks a module of types, strictly. */
const compile = (project, file) =>
  project.node(
    compilers["TypeScript 7"],
    ...["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext"],
    file,
  );

test("all 74 names that Microsoft's client exports are exported", async (t) => {
  const names = exportedNames(theirTypes);
  assert.equal(new Set(names).size, 74, String(names));
  const project = await Project.install(t);
  const uses = names.map((name) => `import type { ${name} as Its${name} } from "@webpubsub-edge/client";`);
  project.write("app.mts", uses.join("\n"));
  await compile(project, "app.mts");
  assert.deepEqual(Object.keys(await import(path.join(microsofts, "dist", "esm", "index.js"))).sort(), values);
  const ours = Object.keys(await import(path.join(root, "build", "client", "dist", "node.js")));
  assert.deepEqual(
    values.filter((name) => !ours.includes(name)),
    [],
  );
});

test("a program with all of Microsoft's names has types with ours", async (t) => {
  const theirs = readFileSync(new URL("program.ts", import.meta.url), "utf8");
  assert.deepEqual(
    exportedNames(theirTypes).filter((name) => !new RegExp(`\\b${name}\\b`).test(theirs)),
    [],
  );
  const ours = theirs.replace("@azure/web-pubsub-client-1.1", "@webpubsub-edge/client");
  assert.notEqual(ours, theirs);
  // Inside the repository, where Node's types are found.
  const project = await Project.install(t, {}, path.join(root, "build", "projects"));
  project.write("program.ts", ours);
  const options = ["--noEmit", "--strict", "--target", "esnext", "--lib", "es2022", "--types", "node", "program.ts"];
  for (const [name, tsc] of Object.entries(compilers)) {
    // The newest one complains of the repository's configuration, which it does not use here.
    const alone = name === "TypeScript 7" ? ["--ignoreConfig"] : [];
    const check = (...args) => project.node(tsc, ...alone, ...options, ...args);
    await check("--module", "nodenext");
    await check("--module", "esnext", "--moduleResolution", "bundler");
    if (name !== "TypeScript 7") await check("--module", "commonjs", "--moduleResolution", "node10");
  }
});

/** What code passes, or implements: Microsoft's have to fit ours. The rest is what code gets: ours fit theirs. */
const passed = [
  "AbortGroupStreamOptions",
  "EndGroupStreamOptions",
  "GetClientAccessUrlOptions",
  "GroupStreamWriteOptions",
  "InvocationErrorOptions",
  "InvokeEventOptions",
  "JSONTypes",
  "JoinGroupOptions",
  "LeaveGroupOptions",
  "OnGroupStreamOptions",
  "OpenGroupStreamOptions",
  "RetryMode",
  "SendEventOptions",
  "SendMessageErrorOptions",
  "SendToGroupOptions",
  "StartOptions",
  "StreamEndError",
  "WebPubSubClientCredential",
  "WebPubSubClientOptions",
  "WebPubSubClientProtocol",
  "WebPubSubDataType",
  "WebPubSubMessage",
  "WebPubSubRetryOptions",
];

test("types of Microsoft's client fit where code passes them", async (t) => {
  // Of this one, the method that only the newest TypeScript's library can name is left out.
  const inPart = "GroupStreamSubscription";
  const given = exportedNames(theirTypes).filter((name) => ![...passed, ...values, inPart].includes(name));
  const project = await Project.install(t);
  const fits = (from, to) => `{ const value = {} as ${from}; const fits: ${to} = value; void fits; }`;
  project.write(
    "app.mts",
    [
      'import * as Ours from "@webpubsub-edge/client";',
      `import * as Theirs from ${JSON.stringify(path.join(microsofts, "dist", "esm", "index.js"))};`,
      // Private members make strangers of two classes, so their public ones are compared.
      "type Public<T> = { [K in keyof T]: T[K] };",
      ...passed.map((name) => fits(`Theirs.${name}`, `Ours.${name}`)),
      ...given.map((name) => fits(`Ours.${name}`, `Theirs.${name}`)),
      fits(`Ours.${inPart}`, `Pick<Theirs.${inPart}, "close" | "isActive">`),
      ...["InvocationError", "SendMessageError"].map((name) => fits(`Ours.${name}`, `Theirs.${name}`)),
      fits(
        "Public<Ours.WebPubSubClient>",
        "Pick<Theirs.WebPubSubClient, keyof Ours.WebPubSubClient & keyof Theirs.WebPubSubClient>",
      ),
      'new Ours.WebPubSubClient("wss://example.com", {} as Theirs.WebPubSubClientOptions);',
      "new Ours.WebPubSubClient({} as Theirs.WebPubSubClientCredential);",
      "{ const ours: Theirs.WebPubSubClientProtocol = Ours.WebPubSubJsonProtocol(); void ours; }",
    ].join("\n"),
  );
  await compile(project, "app.mts");
});

test("publint and arethetypeswrong find nothing wrong", async (t) => {
  const project = await Project.installBesideBundlers(t, { type: "module" });
  project.write(
    "lint.js",
    `import { publint } from "publint";
     const { messages } = await publint({ pkgDir: "node_modules/@webpubsub-edge/client", level: "warning", strict: true });
     console.log(JSON.stringify(messages));`,
  );
  // Parcel's defaults read the field, and not the condition of that name.
  const isKnown = ({ code, path }) => code === "USE_EXPORTS_BROWSER" && path.join(".") === "browser";
  const messages = JSON.parse(await project.node("lint.js")).filter((message) => !isKnown(message));
  assert.deepEqual(messages, []);
  await project.node(
    path.join(bundlersFolder, "node_modules", "@arethetypeswrong", "cli", "dist", "index.js"),
    tarball,
    "--entrypoints",
    ".",
  );
});

test("the code in the README has no type error", async (t) => {
  // Inside the repository, where React's types are found.
  const project = await Project.install(t, { type: "module" }, path.join(root, "build", "projects"));
  const readme = project.file("node_modules/@webpubsub-edge/client/README.md").toString();
  const blocks = [...readme.matchAll(/^```(jsx?)\n([^]*?)^```$/gm)];
  assert.ok(blocks.length > 5);
  const files = blocks.map(([, language, code], n) => project.write(`block${n}.${language}`, `${code}\nexport {};\n`));
  // What one block has from another, or from its reader.
  const given = `
    import type * as Package from "@webpubsub-edge/client";
    declare global {
      var WebPubSubClient: typeof Package.WebPubSubClient;
      var client: Package.WebPubSubClient;
      var url: string;
      function userOf(request: Request): Promise<string>;
    }`;
  files.push(project.write("given.d.ts", given));
  const options = [
    "--ignoreConfig",
    "--noEmit",
    "--allowJs",
    "--checkJs",
    "--strict",
    "--strictNullChecks",
    "false",
    "--skipLibCheck",
  ];
  const platform = ["--target", "esnext", "--lib", "esnext,dom,dom.iterable", "--types", "node", "--jsx", "react-jsx"];
  await project.node(compilers["TypeScript 7"], ...options, ...platform, "--module", "nodenext", ...files);
});
