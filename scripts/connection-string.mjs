// `npm run -s connection-string`: prints the connection string and nothing else.
import { accessKeys, connectionString, endpoint, primaryKey } from "./access.mjs";
import { host, parse, port } from "./options.mjs";
import { main, say } from "./terminal.mjs";

await main(() => {
  const flags = { port: { type: "string", default: "8080" }, host: { type: "string", default: "127.0.0.1" } };
  const values = parse(process.argv.slice(2), flags, "npm run connection-string");
  const url = endpoint({ host: host(values.host), port: port(values.port) });
  say(connectionString(url, primaryKey(accessKeys())));
});
