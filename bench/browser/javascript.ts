import { answering, type Question } from "../isolate.js";
import { TASKS } from "../kernels/index.js";

// The worker that times plain JavaScript, without an engine.

const answer = answering(TASKS, (message) => self.postMessage(message));
self.onmessage = ({ data }: MessageEvent<Question>) => answer(data);
