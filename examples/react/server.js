// Serves the page, and gives clients the URLs that they connect with.
import { join } from "node:path";
import { negotiate, toNodeHandler } from "@webpubsub-edge/client/server";
import express from "express";

const connectionString = process.env.WEBPUBSUB_CONNECTION_STRING;
if (!connectionString) throw new Error("Set WEBPUBSUB_CONNECTION_STRING to the service's connection string.");
const port = Number(process.env.PORT ?? 3001);

/** What a client may do: join and leave the groups of the rooms, and send to them. */
const roles = ["rooms-kitchen", "rooms-garden"].flatMap((group) => [
  `webpubsub.joinLeaveGroup.${group}`,
  `webpubsub.sendToGroup.${group}`,
]);

const urls = negotiate({
  connectionString,
  hub: "react",
  // Here anyone may take any name. An application asks its own sign-in who this is.
  client: (request) => {
    const name = new URL(request.url).searchParams.get("name")?.trim();
    return name ? { userId: name, roles } : null;
  },
});

const app = express();
app.use((_request, response, next) => {
  response.set(
    "Content-Security-Policy",
    // The client is WebAssembly, and its WebSocket leads to the service.
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
  );
  next();
});
app.use("/negotiate", toNodeHandler(urls));
app.use(express.static(join(import.meta.dirname, "public")));
app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`The rooms are at http://localhost:${port}/`);
});
