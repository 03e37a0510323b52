// Pure: a few MPEG-TS segments as an endless stream. Segment n always has the same bytes: timestamps and continuity
// counters follow from n alone. Layout after ISO/IEC 13818-1, 2.4.3.

const packetBytes = 188;
const nullPid = 0x1fff;
/** Timestamps and the base of the PCR count 90 kHz in 33 bits. */
const clockHz = 90_000;
const wrap = 2 ** 33;

/** Looped MPEG-TS segments. */
export class TsLoop {
  readonly #segments: readonly Buffer[];
  readonly #segmentSeconds: number;
  /** Packets with payload by PID: before each segment, and in all of them. */
  readonly #countsBefore: readonly ReadonlyMap<number, number>[];
  readonly #countsInLoop: ReadonlyMap<number, number>;

  /** Throws when a segment is not whole packets. */
  constructor(segments: readonly Buffer[], segmentSeconds: number) {
    this.#segments = segments;
    this.#segmentSeconds = segmentSeconds;
    const counts = new Map<number, number>();
    this.#countsBefore = segments.map((segment) => {
      const before = new Map(counts);
      for (const packet of packetsOf(segment)) {
        if (hasPayload(packet)) counts.set(pidOf(packet), (counts.get(pidOf(packet)) ?? 0) + 1);
      }
      return before;
    });
    this.#countsInLoop = counts;
  }

  /** Segment `index` of the endless stream, counted from 0. */
  segment(index: number): Buffer {
    const loop = Math.floor(index / this.#segments.length);
    const within = index % this.#segments.length;
    const source = this.#segments[within];
    if (source === undefined) throw new RangeError(`no segment ${index}`);
    const shift = (loop * this.#segments.length * this.#segmentSeconds * clockHz) % wrap;
    const counters = new Map<number, number>();
    for (const [pid, inLoop] of this.#countsInLoop) {
      counters.set(pid, loop * inLoop + (this.#countsBefore[within]?.get(pid) ?? 0));
    }
    const bytes = Buffer.from(source);
    for (const packet of packetsOf(bytes)) {
      countOn(packet, counters);
      shiftTimes(packet, shift);
    }
    return bytes;
  }
}

function* packetsOf(segment: Buffer): Generator<Buffer> {
  for (let at = 0; at < segment.length; at += packetBytes) {
    const packet = segment.subarray(at, at + packetBytes);
    if (packet.length !== packetBytes || packet[0] !== 0x47) throw new Error('not MPEG-TS');
    yield packet;
  }
}

const pidOf = (packet: Buffer) => packet.readUInt16BE(1) & 0x1fff;
const hasPayload = (packet: Buffer) => ((packet[3] ?? 0) & 0x10) !== 0;
const adaptationBytes = (packet: Buffer) => (((packet[3] ?? 0) & 0x20) !== 0 ? 1 + (packet[4] ?? 0) : 0);

/** The counter grows with each packet that has a payload; one without repeats the last. */
function countOn(packet: Buffer, counters: Map<number, number>): void {
  const pid = pidOf(packet);
  if (pid === nullPid) return;
  const next = counters.get(pid) ?? 0;
  const value = hasPayload(packet) ? next : next + 15;
  if (hasPayload(packet)) counters.set(pid, next + 1);
  packet[3] = ((packet[3] ?? 0) & 0xf0) | (value & 0x0f);
}

function shiftTimes(packet: Buffer, shift: number): void {
  const adaptation = adaptationBytes(packet);
  if (adaptation > 1 && ((packet[5] ?? 0) & 0x10) !== 0) shiftPcr(packet, 6, shift);
  const startsUnit = ((packet[1] ?? 0) & 0x40) !== 0;
  const pes = 4 + adaptation;
  if (!startsUnit || !hasPayload(packet) || packet.readUIntBE(pes, 3) !== 1) return;
  const flags = packet[pes + 7] ?? 0;
  if ((flags & 0x80) !== 0) shiftTimestamp(packet, pes + 9, shift);
  if ((flags & 0x40) !== 0) shiftTimestamp(packet, pes + 14, shift);
}

/** 33 bits of base, 6 reserved, 9 of extension, which stays. */
function shiftPcr(packet: Buffer, at: number, shift: number): void {
  const base = (packet.readUInt32BE(at) * 2 + ((packet[at + 4] ?? 0) >> 7) + shift) % wrap;
  packet.writeUInt32BE(Math.floor(base / 2), at);
  packet[at + 4] = ((packet[at + 4] ?? 0) & 0x7f) | ((base % 2) << 7);
}

/** PTS or DTS: 33 bits as 3 + 15 + 15, each followed by a marker bit. */
function shiftTimestamp(packet: Buffer, at: number, shift: number): void {
  const first = packet[at] ?? 0;
  const old =
    ((first >> 1) & 0x07) * 2 ** 30 + (packet.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (packet.readUInt16BE(at + 3) >> 1);
  const moved = (old + shift) % wrap;
  packet[at] = (first & 0xf1) | (Math.floor(moved / 2 ** 30) << 1);
  packet.writeUInt16BE((Math.floor(moved / 2 ** 15) % 2 ** 15) * 2 + 1, at + 1);
  packet.writeUInt16BE((moved % 2 ** 15) * 2 + 1, at + 3);
}
