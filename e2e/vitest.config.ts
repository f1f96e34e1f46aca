import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: {
    include: ["*.test.ts"],
    globalSetup: ["setup.ts"],
    reporters: ["verbose"],
    // One runtime at a time: an engine that starts beside eight others is slow, not wrong.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};

export default config;
