import { readFile, writeFile } from "node:fs/promises";

/** Samples of a chunk, and those before it that go in with it, as silero-vad is made for 16 kHz. */
const CHUNK = 512;
const CONTEXT = 64;

/** Where the samples begin in a .wav file that has nothing but them. */
const WAV_HEAD_BYTES = 44;

/**
 * The inputs of silero-vad for a recording, as a safetensors file: `input` [chunks, 1, 576], the steps first, and `sr`.
 *
 * @param wav a mono .wav of 16 kHz and 16 bits
 */
export async function writeFrames(wav: string, file: string): Promise<void> {
  const bytes = await readFile(wav);
  const head = ["RIFF", "WAVE", "data"].map((text, i) => bytes.toString("latin1", [0, 8, 36][i], [4, 12, 40][i]) === text);
  if (head.includes(false) || bytes.readUInt16LE(22) !== 1 || bytes.readUInt32LE(24) !== 16000 || bytes.readUInt16LE(34) !== 16)
    throw new Error(`${wav} is no mono .wav of 16 kHz and 16 bits`);
  const chunks = Math.floor((bytes.length - WAV_HEAD_BYTES) / 2 / CHUNK);
  const frames = new Float32Array(chunks * (CONTEXT + CHUNK));
  for (let i = 0; i < frames.length; i++) {
    const sample = Math.floor(i / (CONTEXT + CHUNK)) * CHUNK + (i % (CONTEXT + CHUNK)) - CONTEXT;
    frames[i] = sample < 0 ? 0 : bytes.readInt16LE(WAV_HEAD_BYTES + 2 * sample) / 32768;
  }
  const rate = BigInt64Array.of(16000n);
  const header = JSON.stringify({
    sr: { dtype: "I64", shape: [], data_offsets: [0, 8] },
    input: { dtype: "F32", shape: [chunks, 1, CONTEXT + CHUNK], data_offsets: [8, 8 + frames.byteLength] },
  });
  const text = Buffer.from(header.padEnd(8 * Math.ceil(header.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(file, Buffer.concat([length, text, Buffer.from(rate.buffer), Buffer.from(frames.buffer)]));
}
