// What the platform has and its types lack.

declare module "node:buffer" {
  export const Buffer: { from(bytes: ArrayBufferLike, offset: number, length: number): { toString(): string } };
}

declare function addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
