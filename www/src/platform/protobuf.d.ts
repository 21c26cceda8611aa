// The package's protobuf subprotocols, which lie beside the page as `/client/protobuf.js`.
export const WebPubSubProtobufProtocol: () => object;
export const WebPubSubProtobufReliableProtocol: () => object;
