// One measurement in Node: the client's module, the URL and the flood are arguments, the figures are what it prints.
import { connect } from "./receive.mjs";

const [module, url, flood] = process.argv.slice(2);
const { count, length } = JSON.parse(flood);
const { WebPubSubClient } = await import(module);
const client = await connect(WebPubSubClient, url, { count, length });
await client.once();
const before = process.cpuUsage();
const time = await client.once();
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ time, cpu: (user + system) / count }));
process.exit();
