# workerd serve examples/edge/worker.capnp

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ( name = "digits",
      worker = (
        modules = [
          (name = "worker.js", esModule = embed "worker.js"),
          (name = "lenet.js", esModule = embed "lenet.js"),
          # What a bundler finds by the conditions of the package.
          (name = "coppice/decode", esModule = embed "../../dist/decode.workerd.js"),
          (name = "coppice/decode.js", esModule = embed "../../dist/decode.js"),
          (name = "coppice/wasm/decoder.wasm", wasm = embed "../../dist/wasm/decoder.wasm"),
        ],
        bindings = [(name = "ASSETS", service = "assets")],
        compatibilityDate = "2026-10-01",
      )
    ),
    (name = "assets", disk = "examples/models"),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "digits")],
);
