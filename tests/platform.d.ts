// What tests use of pages and of WebAssembly, whose types are not among Node's. A page's functions run in the browser.

declare namespace WebAssembly {
  interface ModuleImport {
    module: string;
    name: string;
  }
}

declare const WebAssembly: {
  readonly Module: {
    new (bytes: Uint8Array): WebAssembly.Module;
    imports(module: WebAssembly.Module): WebAssembly.ModuleImport[];
  };
  compile(bytes: Uint8Array): Promise<WebAssembly.Module>;
  instantiate(
    bytes: Uint8Array,
    imports?: Record<string, Record<string, number | (() => number)>>,
  ): Promise<{ instance: { exports: Record<string, () => number | undefined> } }>;
};

interface PageElement {
  readonly id: string;
  readonly ariaLabel: string | null;
  readonly tagName: string;
  readonly textContent: string;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  matches(selector: string): boolean;
  click(): void;
  getBoundingClientRect(): { readonly left: number; readonly right: number };
}

declare const document: {
  readonly activeElement: PageElement;
  readonly body: PageElement;
  readonly cookie: string;
  readonly documentElement: PageElement;
  /** A test that is wrong about there being one fails in the page. */
  querySelector(selector: string): PageElement;
  querySelectorAll(selector: string): Iterable<PageElement> & { readonly length: number };
};

declare const innerWidth: number;

declare function requestAnimationFrame(callback: () => void): number;

declare const location: { hash: string; readonly origin: string };

declare function getComputedStyle(element: PageElement): {
  readonly backgroundColor: string;
  readonly transitionDuration: string;
};

declare const MutationObserver: {
  new (
    changed: () => void,
  ): { observe(element: PageElement, what: { subtree: boolean; childList: boolean; characterData: boolean }): void };
};

interface Navigator {
  readonly clipboard: { readText(): Promise<string> };
}
