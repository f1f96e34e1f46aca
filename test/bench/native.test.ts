import { afterAll, describe, expect, it } from "vitest";
import { TASKS } from "../../bench/kernels/index.js";
import { digest, type Task } from "../../bench/kernels/task.js";
import { compileNative } from "../../bench/node/native.js";

const native = await compileNative();

afterAll(async () => {
  if (typeof native !== "string") await native.close();
});

if (typeof native === "string") {
  it("says why there is no native C", () => expect(native).toMatch(/compiler/));
} else {
  describe.each(TASKS)("$name in native C", (task: Task) => {
    it("gives the bits of JavaScript, and its time", async () => {
      const { js, native: spec } = task.prepare();
      js.run();
      const program = await native.start(spec);
      try {
        expect(await program.run(2)).toBeGreaterThan(0);
        expect(await program.digest()).toBe(digest(js.outputs()));
      } finally {
        program.close();
      }
    });
  });

  it("a kernel that is not there is an error, not a silence", async () => {
    const program = await native.start({ kernel: "teleport", numbers: [], inputs: [] });
    await expect(program.run(1)).rejects.toThrow(/teleport ended with 2/);
  });
}
