/** Resolves after some milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** One wait at a time, which can be ended. */
export class Timer {
  #stop: (() => void) | undefined;

  /** Waits, unless this is called again or stopped before. Resolves with whether the time has passed. */
  wait(milliseconds: number): Promise<boolean> {
    this.stop();
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), milliseconds);
      this.#stop = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }

  stop(): void {
    this.#stop?.();
  }
}
