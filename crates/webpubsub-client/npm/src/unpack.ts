// The WebAssembly, out of the text that a page's script has it as.

/** How many characters are a byte each. The others begin pairs. */
const SINGLES = 87;

/** The bytes that `../pack.mjs` wrote as this text. */
export function unpack(text: string): Uint8Array<ArrayBuffer> {
  const placeOf: number[] = [];
  let count = 0;
  for (let code = 32; code < 127; code++) if (!"\"$'<\\`".includes(String.fromCharCode(code))) placeOf[code] = count++;
  const places = Array.from(text, (character) => placeOf[character.charCodeAt(0)]!);
  const values: number[] = [];
  let value = -1;
  for (const gap of places.splice(0, SINGLES)) values.push((value += gap + 1));
  for (value = 0; value < 256; value++) if (!values.includes(value)) values.push(value);
  const bytes: number[] = [];
  for (let at = 0; at < places.length; at++) {
    const place = places[at]!;
    bytes.push(values[place < SINGLES ? place : SINGLES + (place - SINGLES) * count + places[++at]!]!);
  }
  return Uint8Array.from(bytes);
}
