// The package in frameworks: Next's pages and edge routes, and React under Vitest with jsdom.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { test } from "node:test";
import { bundlersFolder } from "../../scripts/setup/bundlers.mjs";
import { resultOf } from "./pages.mjs";
import { Project, echo, echoed, service } from "./project.mjs";

const program = (...parts) => join(bundlersFolder, "node_modules", ...parts);

for (const [bundler, flag] of [
  ["Turbopack", "--turbopack"],
  ["webpack", "--webpack"],
]) {
  test(`Next with ${bundler} builds a page and an edge route`, async (t) => {
    const project = await Project.installBesideBundlers(t);
    project.write(
      "app/layout.js",
      `export default ({ children }) => <html><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;`,
    );
    project.write(
      "app/page.js",
      `"use client";
       import { useEffect } from "react";
       import { WebPubSubClient } from "@webpubsub-edge/client";
       export default function Page() {
         useEffect(() => {
           const url = new URLSearchParams(location.search).get("url");
           (async () => {
             ${echo}
             globalThis.result = result;
           })();
         }, []);
         return <p>page</p>;
       }`,
    );
    project.write(
      "app/edge/route.js",
      `import { WebPubSubClient } from "@webpubsub-edge/client";
       export const runtime = "edge";
       export async function GET(request) {
         const url = new URL(request.url).searchParams.get("url");
         ${echo}
         return new Response(result);
       }`,
    );
    const folder = JSON.stringify(bundlersFolder);
    project.write(
      "next.config.mjs",
      `export default { turbopack: { root: ${folder} }, outputFileTracingRoot: ${folder} };`,
    );
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
    const next = (...args) =>
      spawn(process.execPath, [program("next", "dist", "bin", "next"), ...args], {
        cwd: project.folder,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });

    const build = next("build", flag);
    let printed = "";
    for (const output of [build.stdout, build.stderr]) output.on("data", (chunk) => (printed += chunk));
    const [code] = await once(build, "close");
    assert.equal(code, 0, printed);

    let serverErrors = "";
    const server = next("start", "--hostname", "127.0.0.1", "--port", "0");
    server.stderr.on("data", (chunk) => (serverErrors += chunk));
    t.after(async () => {
      server.kill();
      if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    });
    let address;
    for await (const line of createInterface({ input: server.stdout })) {
      address = /http:\/\/(?:127\.0\.0\.1|localhost):\d+/.exec(line)?.[0];
      if (address) break;
    }
    const { url, accept } = await service(t);
    const query = `?url=${encodeURIComponent(url)}`;
    const [result] = await Promise.all([resultOf(t, `${address}/${query}`), accept()]);
    assert.equal(result, echoed);
    const [response] = await Promise.all([fetch(`${address}/edge${query}`), accept()]);
    assert.equal(await response.text(), echoed, serverErrors);
  });
}

test("React hooks share a client, join a group once, and stop", async (t) => {
  const project = await Project.installBesideBundlers(t, { type: "module" });
  const scripted = await service(t);
  const env = JSON.stringify({ SERVICE: scripted.url });
  project.write("vitest.config.js", `export default { test: { environment: "jsdom", env: ${env} } };`);
  project.write(
    "app.test.js",
    `import { StrictMode, createElement, useEffect, useState } from "react";
     import { createRoot } from "react-dom/client";
     import { expect, test } from "vitest";
     import { useGroup, useWebPubSub } from "@webpubsub-edge/client/react";

     const until = async (holds) => { while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5)); };

     test("hooks", async () => {
       const seen = { messages: [], urls: 0 };
       function Room({ connection, name }) {
         const group = useGroup(connection, "g", ({ data }) => seen.messages.push(name + data));
         seen[name] = group;
         useEffect(() => () => void (seen.gone = name), []);
         return null;
       }
       function App() {
         const [rooms, setRooms] = useState(["a", "b"]);
         Object.assign(seen, { setRooms });
         // Another function and another object at each rendering.
         const connection = useWebPubSub(() => (seen.urls++, process.env.SERVICE), { autoReconnect: false });
         seen.connection = connection;
         return rooms.map((name) => createElement(Room, { key: name, name, connection }));
       }
       const root = createRoot(document.body.appendChild(document.createElement("div")));
       root.render(createElement(StrictMode, null, createElement(App)));
       await until(() => seen.a?.isJoined && seen.b?.isJoined);
       expect([seen.connection.status, seen.connection.connectionId]).toEqual(["connected", "c1"]);
       await seen.a.send("hi", "text");
       await until(() => seen.messages.length === 2);
       expect(seen.messages.sort()).toEqual(["ahi", "bhi"]);
       seen.gone = undefined;
       seen.setRooms(["b"]);
       await until(() => seen.gone === "a");
       await seen.b.send("left", "text");
       await until(() => seen.messages.length === 3);
       expect(seen.messages[2]).toBe("bleft");
       seen.gone = undefined;
       seen.setRooms([]);
       const { client } = seen.connection;
       const stopped = new Promise((resolve) => client.on("stopped", resolve));
       await until(() => seen.gone === "b");
       await client.sendEvent("bye", "", "text");
       root.unmount();
       await stopped;
     });`,
  );
  const [printed, messages] = await Promise.all([
    project.node(program("vitest", "vitest.mjs"), "run", "--no-color"),
    (async () => {
      const accepted = await scripted.connection();
      accepted.connected("c1");
      await once(accepted.socket, "close");
      return accepted.messages();
    })(),
  ]);
  assert.match(printed, /1 passed/);
  assert.deepEqual(
    messages.filter(({ type }) => type !== "ping" && type !== "sequenceAck").map(({ type }) => type),
    ["joinGroup", "sendToGroup", "sendToGroup", "leaveGroup", "event"],
  );
});

test("React hooks: a failed join takes no membership away", async (t) => {
  const project = await Project.installBesideBundlers(t, { type: "module" });
  const scripted = await service(t);
  const env = JSON.stringify({ SERVICE: scripted.url });
  project.write("vitest.config.js", `export default { test: { environment: "jsdom", env: ${env} } };`);
  project.write(
    "app.test.js",
    `import { createElement, useEffect, useState } from "react";
     import { createRoot } from "react-dom/client";
     import { expect, test } from "vitest";
     import { useGroup, useWebPubSub } from "@webpubsub-edge/client/react";

     const until = async (holds) => { while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5)); };

     test("memberships", async () => {
       const seen = {};
       const options = {
         messageRetryOptions: { maxRetries: 0 },
         reconnectRetryOptions: { retryDelayInMs: 1 },
       };
       function Room({ connection, name }) {
         seen[name] = useGroup(connection, "g");
         return null;
       }
       function App() {
         const [rooms, setRooms] = useState([]);
         const connection = useWebPubSub(process.env.SERVICE, options);
         Object.assign(seen, { setRooms, connection });
         // After the effects of the rooms.
         useEffect(() => void (seen.rooms = rooms.join()), [rooms]);
         return rooms.map((name) => createElement(Room, { key: name, name, connection }));
       }
       const root = createRoot(document.body.appendChild(document.createElement("div")));
       root.render(createElement(App));
       await until(() => seen.connection?.status === "connected");
       const show = async (...rooms) => {
         seen.setRooms(rooms);
         await until(() => seen.rooms === rooms.join());
         // What the effects did reaches the service first.
         await seen.connection.client.sendEvent("shown", rooms.join(), "text");
       };

       // The service refuses the first one.
       await show("a");
       await until(() => seen.a.error);
       await show("a", "b");
       await until(() => seen.b.isJoined);
       await show("b");
       expect([seen.b.isJoined, seen.a.error.errorDetail.name]).toEqual([true, "Forbidden"]);

       // It closes the connection, and refuses to have the group joined again.
       await seen.connection.client.sendEvent("close", "", "text");
       await until(() => seen.b.error);
       expect(seen.b.isJoined).toBe(false);
       await show("b", "c");
       await until(() => seen.c.isJoined || seen.c.error);
       expect([seen.c.isJoined, seen.b.isJoined]).toEqual([true, false]);
       await show("c");
       await show();
       root.unmount();
     });`,
  );
  let joins = 0;
  scripted.answer = (connection, { type, event, ackId }) => {
    if (type === "joinGroup" && ++joins % 2 === 1) connection.refuse(ackId, "Forbidden");
    else if (ackId !== undefined) connection.ack(ackId);
    if (event === "close") connection.close(1008);
  };
  const connections = [];
  const accept = async () => {
    for (const id of ["c1", "c2"]) {
      const connection = await scripted.connection();
      connections.push(connection);
      connection.connected(id);
    }
  };
  const [printed] = await Promise.all([project.node(program("vitest", "vitest.mjs"), "run", "--no-color"), accept()]);
  assert.match(printed, /1 passed/);
  assert.deepEqual(
    connections.map((connection) =>
      connection
        .messages()
        .filter(({ type }) => type !== "sequenceAck")
        .map(({ type, data }) => data ?? type),
    ),
    [
      ["joinGroup", "a", "joinGroup", "a,b", "b", ""],
      ["joinGroup", "joinGroup", "b,c", "c", "leaveGroup", ""],
    ],
  );
});

test("Vitest with jsdom: StrictMode starts, stops and starts again", async (t) => {
  const project = await Project.installBesideBundlers(t, { type: "module" });
  const { url, accept } = await service(t);
  const refusing = await service(t);
  refusing.refuseWith = 403;
  const env = JSON.stringify({ SERVICE: url, REFUSING: refusing.url });
  project.write("vitest.config.js", `export default { test: { environment: "jsdom", env: ${env} } };`);
  project.write(
    "app.test.js",
    `import { StrictMode, createElement, useEffect, useState } from "react";
     import { createRoot } from "react-dom/client";
     import { expect, test } from "vitest";
     import { WebPubSubClient } from "@webpubsub-edge/client";

     test("it connects", async () => {
       const outcomes = [];
       let receive;
       const connected = new Promise((resolve) => (receive = resolve));
       function App() {
         const [client] = useState(() => new WebPubSubClient(process.env.SERVICE));
         useEffect(() => {
           client.on("connected", receive);
           client.start().then(() => outcomes.push("started"), (error) => outcomes.push(error.name));
           return () => {
             client.off("connected", receive);
             client.stop();
           };
         }, [client]);
         return createElement("p", null, "app");
       }
       const root = createRoot(document.body.appendChild(document.createElement("div")));
       root.render(createElement(StrictMode, null, createElement(App)));
       const { connectionId } = await connected;
       expect([connectionId, ...outcomes]).toEqual(["c1", "AbortError", "started"]);
       root.unmount();
     });

     test("a refusal has its status", async () => {
       const { problem, status } = await new WebPubSubClient(process.env.REFUSING).start().catch((error) => error);
       expect([problem, status]).toEqual(["refused", 403]);
     });`,
  );
  const [printed] = await Promise.all([project.node(program("vitest", "vitest.mjs"), "run", "--no-color"), accept()]);
  assert.match(printed, /2 passed/);
});
