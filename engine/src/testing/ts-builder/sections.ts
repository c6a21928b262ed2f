// Renders program specific and service information as whole sections: ISO/IEC 13818-1 clause 2.4.4, SDT by
// EN 300 468 clause 5.2.3, splice_null by SCTE 35 clause 9.6.

/** A descriptor: tag, then its bytes. */
export type Descriptor = readonly [tag: number, ...body: number[]]

export interface PmtStream {
  readonly pid: number
  readonly streamType: number
  readonly descriptors: readonly Descriptor[]
}

export function renderPat(version: number, programs: readonly { number: number; pmtPid: number }[]): Uint8Array {
  const body = programs.flatMap((program) => [...word(program.number), ...word(0xe000 | program.pmtPid)])
  return renderLongSection({ tableId: 0x00, extension: 1, version, body })
}

/** A CAT with one CA_descriptor (conditional access system 0x0B00, EMMs on PID 0x1FF0, which no stream here uses). */
export function renderCat(version: number): Uint8Array {
  const body = renderDescriptors([[0x09, 0x0b, 0x00, 0xff, 0xf0]])
  return renderLongSection({ tableId: 0x01, extension: 0xffff, version, body })
}

export function renderPmt(pmt: {
  readonly version: number
  readonly program: number
  readonly pcrPid: number
  readonly descriptors: readonly Descriptor[]
  readonly streams: readonly PmtStream[]
}): Uint8Array {
  const info = renderDescriptors(pmt.descriptors)
  const streams = pmt.streams.flatMap((stream) => {
    const descriptors = renderDescriptors(stream.descriptors)
    return [stream.streamType, ...word(0xe000 | stream.pid), ...word(0xf000 | descriptors.length), ...descriptors]
  })
  const body = [...word(0xe000 | pmt.pcrPid), ...word(0xf000 | info.length), ...info, ...streams]
  return renderLongSection({ tableId: 0x02, extension: pmt.program, version: pmt.version, body })
}

/** An SDT of the actual transport stream that names each program `Program <number>`. */
export function renderSdt(version: number, programs: readonly number[]): Uint8Array {
  const services = programs.flatMap((number) => {
    const descriptors = renderDescriptors([[0x48, 0x01, ...text('Millrace'), ...text(`Program ${number}`)]])
    return [...word(number), 0xfc, ...word(0x8000 | descriptors.length), ...descriptors]
  })
  return renderLongSection({ tableId: 0x42, extension: 1, version, body: [...word(1), 0xff, ...services] })
}

/** A splice_info_section with splice_null(), which encoders send as a heartbeat. */
export function renderSpliceNull(): Uint8Array {
  const body = [0x00, 0x00, 0, 0, 0, 0, 0x00, 0xff, 0xf0, 0x00, 0x00, 0x00, 0x00]
  return withCrc([0xfc, ...word(0x3000 | (body.length + 4)), ...body])
}

/** CRC_32 of ISO/IEC 13818-1 annex A: polynomial 0x04C11DB7, not reflected. Zero over a whole valid section. */
export function crc32Mpeg(bytes: Iterable<number>): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}

function renderLongSection(section: {
  readonly tableId: number
  readonly extension: number
  readonly version: number
  readonly body: readonly number[]
}): Uint8Array {
  const length = section.body.length + 9
  if (length > 1021) throw new Error(`a section of ${length} bytes: at most 1021 fit`)
  const versionByte = 0xc1 | ((section.version & 31) << 1)
  return withCrc([
    section.tableId,
    ...word(0xb000 | length),
    ...word(section.extension),
    versionByte,
    0x00,
    0x00,
    ...section.body,
  ])
}

function withCrc(bytes: readonly number[]): Uint8Array {
  const crc = crc32Mpeg(bytes)
  return Uint8Array.from([...bytes, ...word(crc >>> 16), ...word(crc & 0xffff)])
}

function renderDescriptors(descriptors: readonly Descriptor[]): number[] {
  return descriptors.flatMap(([tag, ...body]) => [tag, body.length, ...body])
}

function text(value: string): number[] {
  return [value.length, ...Array.from(value, (letter) => letter.charCodeAt(0))]
}

function word(value: number): [number, number] {
  return [(value >> 8) & 0xff, value & 0xff]
}
