// A Worker: streams the archive out of its assets, and answers a drawing that is sent to it with the digit.

import { load, read } from "./lenet.js";

const ARCHIVE = "http://assets/lenet-300-100.coppice";

let network;

export default {
  async fetch(request, { ASSETS }) {
    if (request.method !== "POST")
      return new Response("POST a drawing: 28 lines of 28 characters\n", { status: 405, headers: { Allow: "POST" } });
    // A Worker serves many requests, and only the first waits for the weights. One that arrives meanwhile loads its own: a request may not wait for what another reads.
    network ??= await load((await ASSETS.fetch(ARCHIVE)).body);
    return Response.json(read(network, await request.text()));
  },
};
