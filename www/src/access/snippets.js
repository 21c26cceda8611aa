// Programs that connect with a client URL, ready to run.

/**
 * Every program: its name, what is installed for it, and its text.
 *
 * @type {{ id: string, words: string, install: string, file: string, program: (url: string) => string, run: string, isMqtt?: boolean }[]}
 */
export const snippets = [
  {
    id: "edge",
    words: "JavaScript",
    install: "npm install @webpubsub-edge/client",
    file: "subscribe.mjs",
    run: "node subscribe.mjs",
    program: (url) => `import { WebPubSubClient } from "@webpubsub-edge/client";

const client = new WebPubSubClient(${JSON.stringify(url)});
client.on("server-message", (e) => console.log(\`Received message \${e.message.data}\`));
await client.start();
`,
  },
  {
    id: "azure",
    words: "Microsoft's client",
    install: "npm install @azure/web-pubsub-client",
    file: "subscribe.mjs",
    run: "node subscribe.mjs",
    program: (url) => `import { WebPubSubClient } from "@azure/web-pubsub-client";

const client = new WebPubSubClient(${JSON.stringify(url)});
client.on("server-message", (e) => console.log(\`Received message \${e.message.data}\`));
await client.start();
`,
  },
  {
    id: "python",
    words: "Python",
    install: "pip install websockets",
    file: "subscribe.py",
    run: "python subscribe.py",
    program: (url) => `import asyncio
import websockets

async def main():
    async with websockets.connect(${JSON.stringify(url)}) as socket:
        async for message in socket:
            print(f"Received message {message}")

asyncio.run(main())
`,
  },
  {
    id: "wscat",
    words: "wscat",
    install: "npm install --global wscat",
    file: "",
    run: "",
    program: (url) => `wscat --connect '${url}' --subprotocol json.webpubsub.azure.v1`,
  },
  {
    id: "mqtt-js",
    words: "MQTT.js",
    install: "npm install mqtt",
    file: "subscribe.mjs",
    run: "node subscribe.mjs",
    isMqtt: true,
    program: (url) => `import mqtt from "mqtt";

const client = mqtt.connect(${JSON.stringify(url)}, { protocolVersion: 5, clientId: "device1" });
client.on("message", (topic, payload) => console.log(\`Received \${payload} on \${topic}\`));
client.subscribe("room", { qos: 1 });
`,
  },
  {
    id: "paho",
    words: "paho-mqtt",
    install: "pip install paho-mqtt",
    file: "subscribe.py",
    run: "python subscribe.py",
    isMqtt: true,
    program: pahoProgram,
  },
];

function pahoProgram(url) {
  const { hostname, port, protocol, pathname, search } = new URL(url);
  const isSecure = protocol === "wss:";
  return `import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "device1", protocol=mqtt.MQTTv5, transport="websockets")
client.ws_set_options(path=${JSON.stringify(pathname + search)})
${isSecure ? "client.tls_set()\n" : ""}client.on_connect = lambda client, *_: client.subscribe("room", qos=1)
client.on_message = lambda _client, _data, message: print(f"Received {message.payload} on {message.topic}")
client.connect(${JSON.stringify(hostname)}, ${port || (isSecure ? 443 : 80)})
client.loop_forever()
`;
}
