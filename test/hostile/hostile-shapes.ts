// Transport streams that cost the most work for their bytes: each shape repeats one thing far more often than any real
// stream does. None is valid; every byte of them may arrive from a network.
import { packetise, PACKET_SIZE, renderPat, renderPmt } from '@millrace/media/mpegts'
import { HostileWriter } from './hostile-writer.js'

const PMT_PID = 0x100
const VIDEO_PID = 0x101
const H264 = 0x1b
const NO_DESCRIPTORS = new Uint8Array(0)
const NULL_PID = 0x1fff
const WRAP_90K = 2 ** 33

/** AUD, SPS, PPS and the beginning of an IDR slice. */
const KEY_PICTURE = Uint8Array.from([
  ...[0, 0, 0, 1, 0x09, 0xf0],
  ...[0, 0, 0, 1, 0x67, 0x42, 0x00, 0x1e, 0x95, 0xa8, 0x14, 0x01, 0x6e, 0x40],
  ...[0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80],
  ...[0, 0, 0, 1, 0x65, 0x88, 0x84, 0x00, 0x33],
])
/** AUD and the beginning of a P slice. */
const OTHER_PICTURE = Uint8Array.from([0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x41, 0x9a, 0x24, 0x6c])

export interface HostileShape {
  readonly name: string
  /** At least this many packets; they can be repeated. */
  make(packets: number): Uint8Array
}

export const HOSTILE_SHAPES: readonly HostileShape[] = [
  shape('key frame in every packet', tables, (writer, n) => keyPicture(writer, VIDEO_PID, n * 90)),
  shape('tables and a key frame, alternating', none, (writer, n) => {
    tables(writer)
    keyPicture(writer, VIDEO_PID, n * 90)
  }),
  shape('a key frame on each of 200 PIDs', manyTracks, (writer, n) => keyPicture(writer, 0x200 + (n % 200), n * 90)),
  shape('a key frame on every PID', tables, (writer, n) => keyPicture(writer, n & NULL_PID, n * 90)),
  shape('a new PAT in every packet', none, (writer, n) => {
    pat(writer, {
      programs: [
        [1, PMT_PID],
        [2, 0x200 + (n % 100)],
      ],
      version: n,
    })
  }),
  shape('a new PMT before every key frame', onlyPat, (writer, n) => {
    pmt(writer, { streams: [VIDEO_PID, 0x102 + (n % 7)], version: n })
    keyPicture(writer, VIDEO_PID, n * 90)
  }),
  shape('a new PMT of 200 tracks, over and over', onlyPat, (writer, n) => manyTracks(writer, n)),
  shape('new PMTs of 60 programs, over and over', manyPrograms, (writer, n) => {
    for (let at = 0; at < 60; at++)
      pmt(writer, { program: at + 1, pid: PMT_PID + at, streams: [0x800, 0x801 + (n % 7)], version: n })
  }),
  shape('a PAT of 1000 programs, new each time', none, (writer, n) => {
    for (let section = 0; section < 4; section++) {
      const programs = Array.from({ length: 250 }, (_, at) => [
        section * 250 + at + 1,
        32 + ((section * 250 + at) % 8000),
      ])
      pat(writer, { programs, version: n, section, last: 3 })
    }
  }),
  shape('tables on PIDs that are not theirs', none, (writer, n) => {
    pat(writer, {
      programs: [
        [1, 0],
        [2, NULL_PID],
        [3, 1],
        [4, 0x10],
        [5, VIDEO_PID],
      ],
      version: n,
    })
    pmt(writer, { pid: 0, streams: [0, NULL_PID] })
    pmt(writer, { program: 5, pid: VIDEO_PID, streams: [VIDEO_PID, 0], version: n })
    keyPicture(writer, VIDEO_PID, n * 90)
  }),
  shape('sections that never end', onlyPat, (writer, n) => {
    const payload = new Uint8Array(184).fill(2)
    if (n % 23 === 0) payload.set([0, 2, 0xbf, 0xff])
    writer.packet(PMT_PID, payload, { unitStart: n % 23 === 0 })
  }),
  shape('60 sections in every packet', onlyPat, (writer, n) => {
    const payload = new Uint8Array(184)
    for (let at = 1; at < 181; at += 3) payload.set([0x70, 0x70, 0], at)
    writer.packet([0, PMT_PID, 0x11, 0x12, 0x14][n % 5] ?? 0, payload, { unitStart: true })
  }),
  shape('adaptation fields of impossible length', tables, (writer, n) => {
    writer.packet(VIDEO_PID, new Uint8Array(184).fill(0xff), { unitStart: true })
    writer.patch(3, 0x30 | (n & 15))
    writer.patch(4, n % 2 === 0 ? 184 : 255)
    writer.patch(5, 0x10 | (n & 0xff))
  }),
  shape('adaptation fields of one byte', tables, (writer, n) => {
    writer.packet(VIDEO_PID, new Uint8Array(182).fill(n), { field: [n & 1 ? 0x80 : 0x40] })
  }),
  shape('PES headers that lie', tables, (writer, n) => {
    const unit = writer.pes(n * 3600, KEY_PICTURE)
    unit.set([0, [0, 1, 255, 3][n % 4] ?? 0], 4)
    unit.set([[255, 0, 5, 170][n % 4] ?? 0], 8)
    writer.packet(VIDEO_PID, unit, { unitStart: true })
  }),
  shape('start codes and nothing else', tables, (writer, n) => {
    const codes = new Uint8Array(160)
    for (let at = 0; at + 4 <= 160; at += 4) codes.set([0, 0, 1, 0x0c], at)
    writer.packet(VIDEO_PID, n % 60 === 0 ? writer.pes(n * 90, codes) : codes, { unitStart: n % 60 === 0 })
  }),
  shape('pictures that stay undecided', tables, (writer, n) => {
    if (n % 2 === 0) writer.packet(VIDEO_PID, writer.pes(n * 90, new Uint8Array(100)), { unitStart: true })
    else writer.packet(0x102, new Uint8Array(184))
  }),
  shape('clocks at random', tables, (writer, n) => {
    keyPicture(writer, VIDEO_PID, (n * 2_654_435_761) % WRAP_90K, {
      discontinuity: n % 5 === 0,
      isRandomAccess: n % 9 === 0,
    })
  }),
  shape('clocks that wrap all the time', tables, (writer, n) => {
    keyPicture(writer, VIDEO_PID, (WRAP_90K - 45_000 + (n % 100) * 900) % WRAP_90K, { isRandomAccess: n % 100 === 0 })
  }),
  shape('a discontinuity in every packet', tables, (writer, n) => {
    keyPicture(writer, VIDEO_PID, n * 90, { discontinuity: true, isRandomAccess: false })
    writer.patch(3, 0x30 | ((n * 7) & 15))
  }),
  shape('no key frame', tables, (writer, n) => {
    if (n % 50 === 0)
      writer.packet(VIDEO_PID, writer.pes(n * 72, OTHER_PICTURE), { unitStart: true, field: writer.clock(n * 72, 0) })
    else writer.packet(VIDEO_PID, new Uint8Array(184).fill(0x55))
  }),
  shape('null packets', none, (writer) => writer.packet(NULL_PID, new Uint8Array(184))),
  { name: 'sync bytes alone', make: (packets) => new Uint8Array(packets * PACKET_SIZE).fill(0x47) },
  { name: 'random bytes', make: (packets) => randomBytes(packets * PACKET_SIZE) },
  { name: 'random bytes after each sync byte', make: (packets) => withSyncBytes(randomBytes(packets * PACKET_SIZE)) },
  { name: 'synchronisation lost every few packets', make: (packets) => withoutSomeBytes(plain(packets)) },
  { name: 'almost synchronised', make: almostSynchronised },
]

/** Tables and a key frame in every 40th packet. */
export function plain(packets: number): Uint8Array {
  const make = shape('', none, (writer, n) => {
    if (n % 40 !== 0) return writer.packet(VIDEO_PID, new Uint8Array(184).fill((n & 0x7f) | 1))
    tables(writer)
    keyPicture(writer, VIDEO_PID, n * 3600)
  }).make
  return make(packets)
}

function shape(
  name: string,
  begin: (writer: HostileWriter) => void,
  add: (writer: HostileWriter, n: number) => void,
): HostileShape {
  return {
    name,
    make(packets) {
      const writer = new HostileWriter()
      begin(writer)
      for (let n = 0; writer.packets < packets; n++) add(writer, n)
      return writer.bytes()
    },
  }
}

function none(): void {
  // The shape has no beginning.
}

function onlyPat(writer: HostileWriter): void {
  pat(writer, { programs: [[1, PMT_PID]], version: 0 })
}

function tables(writer: HostileWriter): void {
  onlyPat(writer)
  pmt(writer, { streams: [VIDEO_PID] })
}

function manyTracks(writer: HostileWriter, version = 0): void {
  if (version === 0) onlyPat(writer)
  pmt(writer, { streams: Array.from({ length: 200 }, (_, at) => 0x200 + at), version })
}

function manyPrograms(writer: HostileWriter): void {
  pat(writer, { programs: Array.from({ length: 60 }, (_, at) => [at + 1, PMT_PID + at]), version: 0 })
}

interface PatPlan {
  readonly programs: readonly (readonly number[])[]
  readonly version: number
  readonly section?: number
  readonly last?: number
}

function pat(writer: HostileWriter, { programs, version, section = 0, last = 0 }: PatPlan): void {
  const bytes = renderPat({
    transportStreamId: 1,
    version: version & 31,
    current: true,
    sectionNumber: section,
    lastSectionNumber: last,
    networkPid: undefined,
    programs: programs.map(([program = 0, pmtPid = 0]) => ({ program, pmtPid })),
  })
  writer.packets188(packetise(bytes, 0, 0))
}

interface PmtPlan {
  readonly program?: number
  readonly pid?: number
  readonly streams: readonly number[]
  readonly version?: number
}

function pmt(writer: HostileWriter, { program = 1, pid = PMT_PID, streams, version = 0 }: PmtPlan): void {
  const bytes = renderPmt({
    program,
    version: version & 31,
    current: true,
    pcrPid: streams[0] ?? NULL_PID,
    descriptors: NO_DESCRIPTORS,
    streams: streams.map((each) => ({ streamType: H264, pid: each, descriptors: NO_DESCRIPTORS })),
  })
  writer.packets188(packetise(bytes, pid, 0))
}

function keyPicture(
  writer: HostileWriter,
  pid: number,
  at90k: number,
  { discontinuity = false, isRandomAccess = true } = {},
): void {
  const flags = (discontinuity ? 0x80 : 0) | (isRandomAccess ? 0x40 : 0)
  writer.packet(pid, writer.pes(at90k, KEY_PICTURE), { unitStart: true, field: writer.clock(at90k, flags) })
}

function randomBytes(length: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  let state = 12_345
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  return new Uint8Array(words.buffer)
}

function withSyncBytes(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) bytes[at] = 0x47
  return bytes
}

function withoutSomeBytes(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at += PACKET_SIZE * 4) {
    const part = bytes.subarray(at, at + PACKET_SIZE * 4 - 7)
    kept.set(part, length)
    length += part.length
  }
  return kept.slice(0, length)
}

function almostSynchronised(packets: number): Uint8Array {
  const bytes = new Uint8Array(packets * PACKET_SIZE).fill(0x47)
  for (let at = PACKET_SIZE * 2 - 1; at < bytes.length; at += PACKET_SIZE * 2) bytes[at] = 0
  for (let at = 0; at < bytes.length; at += 500) bytes.fill(0, at, at + 13)
  return bytes
}
