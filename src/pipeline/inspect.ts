import { fileByteLength } from "../archive/files.js";
import type { TensorEntry } from "../archive/header.js";
import { readShell } from "../archive/shell.js";
import { CHECKSUM_BYTES } from "../archive/sizes.js";
import { recordStats } from "../codec/stats.js";
import type { WorkOptions } from "../decode/options.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { PlannedArchive } from "./archive.js";
import { Meter } from "./progress.js";
import { fileReport, type Report, type TensorReport, tensorReport } from "./report.js";

/** What an archive holds: every record is decoded and counted. */
export async function inspectArchive(archive: PlannedArchive, kernels: EncodeKernels, options: WorkOptions = {}): Promise<Report> {
  const { header } = archive;
  const denseBytes = header.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const meter = new Meter(denseBytes, options);
  const files = readShell(header, archive.maxBytes);
  const tensors: TensorReport[] = [];
  for (const entry of header.tensors) tensors.push(await inspectTensor(archive, kernels, entry, meter));
  const sourceBytes = files.length > 0 ? files.reduce((sum, file) => sum + fileByteLength(archive, file), 0) : denseBytes;
  return { file: fileReport(tensors, header.archiveByteLength, header.recordsOffset, sourceBytes), tensors };
}

async function inspectTensor(archive: PlannedArchive, kernels: EncodeKernels, entry: TensorEntry, meter: Meter): Promise<TensorReport> {
  const plan = await archive.plan(entry);
  const bodyByteLength = entry.recordByteLength - plan.byteLength - CHECKSUM_BYTES;
  const blocks = meter.blocks(entry.name, archive.blocks(entry));
  const stats = await recordStats(kernels, entry.dtype, plan, bodyByteLength, blocks);
  return tensorReport(entry, stats, entry.byteLength, entry.recordByteLength, plan);
}
