// Serves the page, gives clients their URLs, and publishes who is in the group whenever that changes.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { eventHandler, negotiate, toNodeHandler } from "@webpubsub-edge/client/server";
import express from "express";

const connectionString = process.env.WEBPUBSUB_CONNECTION_STRING;
if (!connectionString) throw new Error("Set WEBPUBSUB_CONNECTION_STRING to the service's connection string.");
const port = Number(process.env.PORT ?? 3002);
const hub = "presence";

// A service on this machine may have an http:// endpoint, which this package takes only where it is allowed.
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection: true });
const office = service.group("office");

let isPublishing = false;
let isOutdated = false;

/**
 * Publishes the members, as the service knows them. An event says when to look, not what is so: it may come twice, or
 * late, and a server that was started again has missed some. One look at a time, so that the last one is published last.
 */
async function publishMembers() {
  isOutdated = true;
  if (isPublishing) return;
  isPublishing = true;
  try {
    while (isOutdated) {
      isOutdated = false;
      /** @type {{ connectionId: string, userId?: string }[]} */
      const members = [];
      for await (const { connectionId, userId } of await office.listConnections())
        members.push({ connectionId, userId });
      await office.sendToAll({ members });
    }
  } finally {
    isPublishing = false;
  }
}

const urls = negotiate({
  connectionString,
  hub,
  // Here anyone may take any name. An application asks its own sign-in who this is.
  client: (request) => {
    const name = new URL(request.url).searchParams.get("name")?.trim();
    // Without the role sendToGroup: what arrives in the group is this server's.
    return name ? { userId: name, roles: ["webpubsub.joinLeaveGroup.office"] } : null;
  },
});

// An event whose signature is not the service's is refused. One that fails is sent again.
const events = eventHandler({ connectionString, hub, onGroupJoined: publishMembers, onGroupLeft: publishMembers });

const app = express();
app.use(toNodeHandler(events));
app.use((_request, response, next) => {
  response.set(
    "Content-Security-Policy",
    // The client is WebAssembly, and its WebSocket leads to the service.
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
  );
  next();
});
app.use("/negotiate", toNodeHandler(urls));
// The package's scripts are for pages as they are: there is nothing to bundle.
app.use("/client", express.static(dirname(fileURLToPath(import.meta.resolve("@webpubsub-edge/client")))));
app.use(express.static(join(import.meta.dirname, "public")));
app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`The office is at http://localhost:${port}/`);
});
