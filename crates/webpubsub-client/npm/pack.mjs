// Bytes → text of printable characters, which `src/unpack.ts` reads.
//
// A script that carries WebAssembly is compressed on its way to a page, and this text compresses as well as the bytes
// do: bytes that are alike stay alike. Base64 shifts them against each other, so that only what is compressed before
// can be written with it, in which no other compression finds anything.

/** What means something in strings of JavaScript, and what opens a tag in a page that holds the script. */
const LEFT_OUT = "\"$'<\\`";
const CHARACTERS = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter(
  (character) => !LEFT_OUT.includes(character),
);
/** How many characters are a byte each. The others begin the pairs that all other bytes are. */
const SINGLES = 87;

/** @param {Uint8Array} bytes */
export function pack(bytes) {
  const counts = Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const values = [...counts.keys()];
  const singles = values
    .toSorted((a, b) => counts[b] - counts[a])
    .slice(0, SINGLES)
    .toSorted((a, b) => a - b);
  const pairs = values.filter((value) => !singles.includes(value));
  const written = Array(256);
  singles.forEach((value, at) => (written[value] = CHARACTERS[at]));
  pairs.forEach((value, at) => {
    written[value] = CHARACTERS[SINGLES + Math.floor(at / CHARACTERS.length)] + CHARACTERS[at % CHARACTERS.length];
  });
  // Which bytes are a character each, by what lies between one and the next.
  const gaps = singles.map((value, at) => CHARACTERS[value - (singles[at - 1] ?? -1) - 1]);
  if (gaps.includes(undefined)) throw new Error("The bytes are too unlike those of WebAssembly to be packed.");
  return gaps.join("") + Array.from(bytes, (byte) => written[byte]).join("");
}
