// What the tests of this folder begin with: a scripted service, a client, and its events in order.
import { loadOurClient } from "../support/our-client.mjs";
import { Queue } from "../support/waiting.mjs";
import { ScriptedService } from "./scripted-service.mjs";

export const npmPackage = await loadOurClient();
const { WebPubSubClient, WebPubSubJsonProtocol } = npmPackage;

/** Options under which a failure shows at once. */
export const once = { maxRetries: 0 };
export const unreliable = WebPubSubJsonProtocol();

const NAMES = [
  "connected",
  "disconnected",
  "stopped",
  "server-message",
  "group-message",
  "rejoin-group-failed",
  "recovering",
  "recovered",
  "group-states-changed",
];

/** A service and a client of it, both gone when the test is. */
export async function setUp(t, options = {}, credential = (service) => service.url) {
  const service = await ScriptedService.start();
  const client = new WebPubSubClient(credential(service), options);
  const events = new Queue();
  for (const name of NAMES) client.on(name, (args) => events.push([name, args]));
  t.after(async () => {
    client.stop();
    await service.stop();
  });
  return { service, client, event: () => events.next("an event"), events: () => events.drain() };
}

/** The same, and started as far as `connected`. */
export async function setUpConnected(t, options, credential) {
  const all = await setUp(t, options, credential);
  const { connection } = await connect(all);
  await all.event();
  return { ...all, connection };
}

export async function connect({ client, service }) {
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected();
  return { connection };
}
