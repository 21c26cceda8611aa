// Bodies of requests: read within a limit, or dropped within several.

/** Buffers up to this many bytes are left to the garbage collector. */
const SMALL_BYTES = 16_384;

/** Gives back at once, unless it is little, what V8 would keep until it has some 64 MiB of such garbage. */
export function freeBytes({ length, buffer }: Uint8Array): void {
  if (length > SMALL_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The text of `bytes` in the encoding with this label; `undefined` where it is not known. */
export function textInCharset(label: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Whether there is something left of a body that nothing else reads; `refused` says that its request was,
 * perhaps in the middle of it.
 */
export function hasUnreadBody(request: Request, refused: boolean): boolean {
  const { bodyUsed } = request;
  if (bodyUsed && !refused) return false;
  const { body } = request;
  // What has been passed on is the receiver's to read. A sender that waits for 100 sends nothing before it.
  if (!body || body.locked) return false;
  return bodyUsed || request.headers.get("expect")?.toLowerCase() !== "100-continue";
}

/**
 * Reads the rest of a body and drops it: up to about `most` bytes, for at most `limit` milliseconds, and until
 * no byte has come for `pause` milliseconds. Never rejects.
 */
export async function dropBody(request: Request, most: number, pause: number, limit: number): Promise<void> {
  const end = Date.now() + limit;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = () =>
    new Promise<{ value?: undefined }>((resolve) => {
      timer = setTimeout(resolve, Math.min(pause, end - Date.now()), {});
    });
  try {
    const reader: ReadableStreamDefaultReader<Uint8Array> = request.body!.getReader();
    for (let dropped = 0; dropped <= most; ) {
      const { value } = await Promise.race([reader.read(), late()]);
      clearTimeout(timer);
      if (!value) break;
      dropped += value.length;
    }
    // What has ended stays so.
    await reader.cancel();
  } catch {
    // The sender has gone.
  }
}

/** The bytes of a body whose length was not announced; `undefined` where there are more than `limit`. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  let body = new Uint8Array(0);
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    const length = body.length + value.length;
    if (length > limit) {
      reader.releaseLock();
      return undefined;
    }
    const longer = new Uint8Array(length);
    longer.set(body);
    longer.set(value, body.length);
    body = longer;
  }
  return body;
}
