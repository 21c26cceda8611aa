/** The longest words that are worth showing, in characters. */
const LONGEST = 300;

/** What the body of a refusal says to people: Azure's error objects, problem details, or plain text. */
export function wordsOf(contentType = "", body: string): string | undefined {
  if (/\bhtml\b/i.test(contentType)) return undefined;
  const words = /\bjson\b/i.test(contentType) ? sentence(body) : body;
  // In one line, and with nothing in it that moves a terminal's cursor.
  return (
    words
      ?.replaceAll(/[\s\p{Cc}]+/gu, " ")
      .trim()
      .slice(0, LONGEST) || undefined
  );
}

function sentence(json: string): string | undefined {
  try {
    const value = JSON.parse(json);
    const words = [value?.error?.message, value?.error, value?.message, value?.detail, value?.title, value];
    return words.find((one) => typeof one === "string" && one !== "");
  } catch {
    return json;
  }
}
