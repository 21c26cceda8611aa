// Builds the chat page and serves it: `node serve.mjs`, at the port of `PORT`.
//
// The page asks `/negotiate` for a client access URL. The service is the one of `WEBPUBSUB_CONNECTION_STRING`.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { build } from "./build.mjs";

const port = Number(process.env.PORT ?? 3006);
const service = new WebPubSubServiceClient(process.env.WEBPUBSUB_CONNECTION_STRING ?? "", "chat", {
  allowInsecureConnection: true,
});

/** What is served, with its type. */
const files = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/built/chat.js": ["built/chat.js", "text/javascript"],
  "/built/chat_bg.wasm": ["built/chat_bg.wasm", "application/wasm"],
};
let guests = 0;

/** @type {(path: string) => Promise<{ status: number, type: string, body: string | Buffer }>} */
async function answer(path) {
  if (path === "/negotiate") {
    const roles = ["webpubsub.joinLeaveGroup.chat", "webpubsub.sendToGroup.chat"];
    const { url } = await service.getClientAccessToken({ userId: `guest ${++guests}`, roles });
    return { status: 200, type: "application/json", body: JSON.stringify({ url }) };
  }
  const [file, type] = files[path] ?? [];
  if (file === undefined) return { status: 404, type: "text/plain", body: "There is no such page." };
  return { status: 200, type, body: await readFile(fileURLToPath(new URL(file, import.meta.url))) };
}

await build();
const server = createServer(async (request, response) => {
  try {
    const { status, type, body } = await answer(new URL(request.url ?? "/", "http://localhost").pathname);
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});
server.listen(port, "127.0.0.1", () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`the chat is at http://localhost:${address.port}/`);
});
