import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { useEngineModule } from "../kernels/engine.js";
import type { CrewData, CrewOrder, CrewResult } from "./crew-messages.js";
import { Network } from "./network.js";

// A thread of a crew beside the one that calls: it waits for an order, computes the gradients of its share, answers, until it is ended.

const { module, variant, spec, port, control, parameters, gradient } = workerData as CrewData;

function answer(result: CrewResult): void {
  port.postMessage(result);
  Atomics.add(control, 1, 1);
  Atomics.notify(control, 1);
}

/** What went wrong is an answer, too: nobody would hear of it otherwise. */
function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    answer({ loss: Number.NaN, failure: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

function take(network: Network, share: CrewOrder): void {
  if (share.labels.length === 0) {
    answer({ loss: 0 });
    return;
  }
  const { arena } = network.engine;
  let offset = 0;
  for (const { values, count } of network.parameters) {
    arena.f32(values, count).set(parameters.subarray(offset, offset + count));
    offset += count;
  }
  const loss = network.backward(share);
  offset = 0;
  for (const parameter of network.parameters) {
    gradient.set(arena.f32(parameter.gradient, parameter.count), offset);
    offset += parameter.count;
  }
  answer({ loss });
}

useEngineModule(variant, module);
const network = attempt(() => new Network(spec, 0, { variant }));
if (network !== undefined) {
  answer({ loss: 0 });
  for (let orders = 0; ; orders++) {
    while (Atomics.load(control, 0) === orders) Atomics.wait(control, 0, orders);
    const share = receiveMessageOnPort(port)?.message as CrewOrder;
    attempt(() => take(network, share));
  }
}
