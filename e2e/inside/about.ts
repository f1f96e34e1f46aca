interface Traces {
  readonly Deno?: { readonly version: { readonly deno: string } };
  readonly Bun?: { readonly version: string };
  readonly EdgeRuntime?: string;
  readonly process?: { readonly version: string };
  readonly navigator?: { readonly userAgent: string };
  readonly document?: unknown;
}

/** Which runtime this is, by what only it has. */
export function about(): string {
  const { Deno, Bun, EdgeRuntime, process, navigator, document } = globalThis as Traces;
  if (navigator?.userAgent === "Cloudflare-Workers") return "workerd"; // it has a `process`, too
  if (Deno) return `Deno ${Deno.version.deno}`;
  if (Bun) return `Bun ${Bun.version}`;
  if (EdgeRuntime) return EdgeRuntime;
  const chrome = navigator?.userAgent.match(/Chrome\/([\d.]+)/);
  if (chrome) return `Chromium ${chrome[1]} ${document ? "page" : "worker"}`;
  return `Node ${process?.version.slice(1)}`;
}
