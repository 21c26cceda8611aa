/**
 * What can be sent as this type: a string, the bytes of an `ArrayBuffer` or of a view of one, or any
 * value but null.
 *
 * @throws a `TypeError` for content that does not fit its data type
 */
export function checked(content: unknown, dataType: string | undefined): unknown {
  switch (dataType) {
    case "text":
      if (typeof content !== "string") throw new TypeError("Message must be a string.");
      return content;
    case "binary":
    case "protobuf":
      if (content instanceof ArrayBuffer) return new Uint8Array(content);
      if (ArrayBuffer.isView(content)) return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
      throw new TypeError("Message must be a ArrayBuffer");
    case "json":
      if (content == null) throw new TypeError("Message must be a JSON value other than null.");
      return content;
    default:
      throw new TypeError(`Unknown data type: ${dataType}`);
  }
}
