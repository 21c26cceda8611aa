// A client in a process of its own that sends many messages without waiting for anything, and counts its acks.
//
//   node flood.mjs URL SUBPROTOCOL COUNT TEMPLATE
//
// In the template, `#` stands for the number of the message. Prints how many acks it had, and with what code it was
// closed if it was.
import WebSocket from "ws";

const [url, subprotocol, count, template] = process.argv.slice(2);
const socket = new WebSocket(url, subprotocol, { perMessageDeflate: false });
let acks = 0;

function end(code = undefined) {
  process.stdout.write(JSON.stringify({ acks, code }), () => process.exit());
}

socket.on("open", () => {
  for (let n = 1; n <= Number(count); n++) socket.send(template.replaceAll("#", String(n)));
});
socket.on("message", (data) => {
  if (JSON.parse(data.toString()).type === "ack" && ++acks === Number(count)) end();
});
socket.on("close", end);
socket.on("error", (error) => {
  throw error;
});
