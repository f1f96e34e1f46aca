import type { Reporter, TestModule } from "vitest/node";

/** Lists the tests that were left out, and why that may be: the default reporter only counts them. */
export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = modules.flatMap((module) =>
      [...module.children.allTests("skipped")].map((test) => `${module.relativeModuleId}: ${test.fullName}`),
    );
    if (names.length === 0) return;
    console.log(
      `\nLeft out, for want of the models in COPPICE_DATA or of Python with numpy:\n${names.map((name) => `  ${name}`).join("\n")}`,
    );
  }
}
