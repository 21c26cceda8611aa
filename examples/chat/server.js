// Serves the page, and gives clients the URLs that they connect with.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { negotiate, toNodeHandler } from "@webpubsub-edge/client/server";
import express from "express";

const connectionString = process.env.WEBPUBSUB_CONNECTION_STRING;
if (!connectionString) throw new Error("Set WEBPUBSUB_CONNECTION_STRING to the service's connection string.");
const port = Number(process.env.PORT ?? 3000);

const urls = negotiate({
  connectionString,
  hub: "chat",
  // Here anyone may take any name. An application asks its own sign-in who this is.
  client: (request) => {
    const name = new URL(request.url).searchParams.get("name")?.trim();
    if (!name) return null;
    return { userId: name, roles: ["webpubsub.joinLeaveGroup.lobby", "webpubsub.sendToGroup.lobby"] };
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
// The package's scripts are for pages as they are: there is nothing to bundle.
app.use("/client", express.static(dirname(fileURLToPath(import.meta.resolve("@webpubsub-edge/client")))));
app.use(express.static(join(import.meta.dirname, "public")));
app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`The chat is at http://localhost:${port}/`);
});
