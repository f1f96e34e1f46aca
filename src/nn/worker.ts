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

function take(network: Network, share: CrewOrder): CrewResult {
  if (share.labels.length === 0) return { loss: 0 };
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
  return { loss };
}

useEngineModule(variant, module);
const network = new Network(spec, 0, { variant });
answer({ loss: 0 });
for (let orders = 0; ; orders++) {
  while (Atomics.load(control, 0) === orders) Atomics.wait(control, 0, orders);
  const share = receiveMessageOnPort(port)?.message as CrewOrder;
  let result: CrewResult;
  try {
    result = take(network, share);
  } catch (error) {
    result = { loss: Number.NaN, failure: error instanceof Error ? error.message : String(error) };
  }
  answer(result);
}
