// Programs that connect with a client URL, ready to run.

/**
 * Every program: its name, what is installed for it, and its text.
 *
 * @type {{ id: string, words: string, install: string, file: string, program: (url: string) => string, run: string }[]}
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
];
