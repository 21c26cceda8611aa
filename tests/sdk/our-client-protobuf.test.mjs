// Our client package in Node over the protobuf subprotocols, held to what it does over JSON.
import path from "node:path";
import { loadOurClient } from "../support/our-client.mjs";
import { root } from "../support/service.mjs";
import { defineClientSuite } from "./client-suite.mjs";

const protobuf = await import(path.join(root, "build", "client", "dist", "protobuf-node.js"));

defineClientSuite("Our client in Node, protobuf", {
  ...(await loadOurClient()),
  WebPubSubJsonProtocol: protobuf.WebPubSubProtobufProtocol,
  WebPubSubJsonReliableProtocol: protobuf.WebPubSubProtobufReliableProtocol,
});
