// What an application or its protocol object gives, as something that is safe to go on with.

/** What is no string is an empty one, which is no name and refused as such. */
export const asText = (value: unknown): string => (typeof value === "string" ? value : "");

/** A number for the core: negative where it is missing. */
export const asNumber = (value: unknown): number => (typeof value === "number" ? value : -1);

export const asError = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)));

/** Reports what an application's function threw, and goes on. */
export const report = (error: unknown): void => (globalThis.reportError ?? console.error)(error);
