// The client package, which lies beside the page as `/client/index.js`. Its own declarations are made by the build, after
// types are checked.

/** The methods are those of the package's documents. */
interface Untyped {
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  [member: string]: any;
}

export const WebPubSubClient: new (url: string, options: object) => Untyped;
export const WebPubSubJsonProtocol: () => object;
export const WebPubSubJsonReliableProtocol: () => object;
