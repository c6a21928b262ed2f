// H.264 whose pictures are coded as two fields, which no encoder of ffmpeg does: each field has one brightness, without any
// prediction (I_PCM). The fields are access units, and PES packets, of their own.
import { packetise, PACKET_SIZE, renderPat, renderPmt, writePts } from '@millrace/media/mpegts'

const [PMT_PID, VIDEO_PID] = [0x1000, 0x100]
const H264 = 0x1b
/** Macroblocks of a field: 64 x 64 pixels in a picture. */
const MACROBLOCKS = 4 * 2
const FIELD_90K = 1800

export interface Fields {
  readonly top: number
  readonly bottom: number
}

/** One picture after the other, all of them key frames. */
export function fieldCodedTs(pictures: readonly Fields[], { isJoined = false } = {}): Uint8Array {
  const table = { version: 0, current: true, descriptors: new Uint8Array(0) }
  const programs = [{ program: 1, pmtPid: PMT_PID }]
  const pat = {
    ...table,
    transportStreamId: 1,
    programs,
    networkPid: undefined,
    sectionNumber: 0,
    lastSectionNumber: 0,
  }
  const streams = [{ pid: VIDEO_PID, streamType: H264, descriptors: new Uint8Array(0) }]
  const packets: Uint8Array[] = []
  let counter = 0
  const send = (elementary: Uint8Array, pts90k: number): void => {
    for (const packet of packetsOf(elementary, pts90k)) {
      packet[3] = (packet[3]! & 0xf0) | (counter++ & 15)
      packets.push(packet)
    }
  }
  for (const [index, { top, bottom }] of pictures.entries()) {
    packets.push(packetise(renderPat(pat), 0, index & 15))
    packets.push(packetise(renderPmt({ ...table, program: 1, pcrPid: VIDEO_PID, streams }), PMT_PID, index & 15))
    const first = Buffer.concat([...SETS, field(top, { isIdr: true, isBottom: false, id: index & 1 })])
    const second = field(bottom, { isIdr: false, isBottom: true, id: 0 })
    const pts90k = 90_000 + index * 2 * FIELD_90K
    if (isJoined) send(Buffer.concat([first, second]), pts90k)
    else {
      send(first, pts90k)
      send(second, pts90k + FIELD_90K)
    }
  }
  return Buffer.concat(packets)
}

const ue = (value: number): string => (value + 1).toString(2).padStart(2 * Math.floor(Math.log2(value + 1)) + 1, '0')
const u = (value: number, bits: number): string => value.toString(2).padStart(bits, '0')

/** With the bit that ends a payload. */
function unit(header: number, bits: string): Uint8Array {
  const all = `${bits}1`
  const text = all.padEnd(Math.ceil(all.length / 8) * 8, '0')
  const bytes = Array.from({ length: text.length / 8 }, (_, at) => Number.parseInt(text.slice(at * 8, at * 8 + 8), 2))
  return Uint8Array.from([0, 0, 0, 1, header, ...bytes])
}

/** Main profile, fields, order of output as that of decoding; CAVLC, deblocking under control. */
const SETS: readonly Uint8Array[] = [
  unit(0x67, `${u(77, 8)}${u(0, 8)}${u(30, 8)}${[0, 0, 2, 1].map(ue).join('')}0${ue(3)}${ue(1)}001${'00'}`),
  unit(0x68, `${ue(0)}${ue(0)}00${ue(0)}${ue(0)}${ue(0)}0${'00'}${ue(0)}${ue(0)}${ue(0)}100`),
]

function field(
  brightness: number,
  { isIdr, isBottom, id }: { readonly isIdr: boolean; readonly isBottom: boolean; readonly id: number },
): Uint8Array {
  const marking = isIdr ? `${ue(id)}` : ''
  const header = `${ue(0)}${ue(7)}${ue(0)}${u(0, 4)}1${isBottom ? 1 : 0}${marking}${isIdr ? '00' : '0'}${ue(0)}${ue(1)}`
  const samples = u(brightness, 8).repeat(256) + u(128, 8).repeat(128)
  let bits = header
  for (let at = 0; at < MACROBLOCKS; at++) {
    bits += ue(25)
    bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0') + samples
  }
  const delimiter = Uint8Array.of(0, 0, 0, 1, 9, 0xf0)
  return Buffer.concat([delimiter, unit(isIdr ? 0x65 : 0x61, bits)])
}

/** A PES packet without a length. The first packet has a clock reference. */
function packetsOf(elementary: Uint8Array, pts90k: number): readonly Uint8Array[] {
  const pes = new Uint8Array(14 + elementary.length)
  pes.set([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1])
  writePts(pes, 0, pes.length, pts90k)
  pes.set(elementary, 14)
  const packets: Uint8Array[] = []
  for (let at = 0; at < pes.length;) {
    const isFirst = at === 0
    const clock = pts90k - 9000
    const reference = [
      0x10,
      ...[25, 17, 9, 1].map((shift) => Math.floor(clock / 2 ** shift) & 0xff),
      (clock & 1) * 128 + 0x7e,
      0,
    ]
    const part = pes.subarray(at, at + PACKET_SIZE - 4 - (isFirst ? 8 : 0))
    const room = PACKET_SIZE - 4 - part.length
    const packet = new Uint8Array(PACKET_SIZE).fill(0xff)
    packet.set([0x47, (isFirst ? 0x40 : 0) | (VIDEO_PID >>> 8), VIDEO_PID & 0xff, room > 0 ? 0x30 : 0x10])
    if (room > 0) packet[4] = room - 1
    if (room > 1) packet.set(isFirst ? reference : [0], 5)
    packet.set(part, PACKET_SIZE - part.length)
    packets.push(packet)
    at += part.length
  }
  return packets
}
