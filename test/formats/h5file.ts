import { Dataset, type File, Group, File as H5, type LIBVER_BOUND, ready } from "h5wasm/node";

// HDF5 files by the HDF5 library itself: what it writes is read here, and what comes back it must read.

const { FS } = await ready;

let count = 0;

type Options = Omit<Parameters<File["create_dataset"]>[0], "name">;

/** Adds a dataset, and the groups that it is in. */
export function addDataset(file: File, path: string, options: Options): void {
  const groups = path.split("/").slice(0, -1);
  for (let i = 1; i <= groups.length; i++) {
    const group = groups.slice(0, i).join("/");
    if (!file.paths().includes(group)) file.create_group(group);
  }
  file.create_dataset({ name: path, ...options });
}

/** A file as the library writes it: with the oldest structures, as Python's h5py and so Keras does, or newer ones. */
export function makeH5(fill: (file: File) => void, libver: LIBVER_BOUND = "earliest", trackOrder = false): Uint8Array {
  const name = `/tmp/coppice-${process.pid}-${++count}.h5`;
  const file = new H5(name, "w", { libver: [libver, "latest"], track_order: trackOrder });
  fill(file);
  file.close();
  try {
    return FS.readFile(name).slice();
  } finally {
    FS.unlink(name);
  }
}

/** What the library reads out of a file: of each object its attributes, of each dataset also its type, shape and value. */
export function contentsOf(bytes: Uint8Array): Map<string, unknown> {
  const name = `/tmp/coppice-${process.pid}-${++count}.h5`;
  FS.writeFile(name, bytes);
  const file = new H5(name, "r");
  const contents = new Map<string, unknown>();
  const visit = (object: Group | Dataset, path: string): void => {
    const attributes = Object.entries(object.attrs).map(([key, { value, dtype, shape }]) => [key, value, dtype, shape]);
    if (object instanceof Dataset) {
      const { value, dtype, shape, filters } = object;
      contents.set(path, { attributes, value, dtype, shape, filters });
      return;
    }
    contents.set(path, { attributes, keys: object.keys() });
    for (const key of object.keys()) {
      const inner = object.get(key);
      if (inner instanceof Group || inner instanceof Dataset) visit(inner, path === "" ? key : `${path}/${key}`);
    }
  };
  visit(file, "");
  file.close();
  FS.unlink(name);
  return contents;
}
