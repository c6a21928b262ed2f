// Renders program specific and service information as whole sections: ISO/IEC 13818-1 clause 2.4.4, SDT by
// EN 300 468 clause 5.2.3, splice_null by SCTE 35 clause 9.6.
import {
  crc32Mpeg,
  renderPat as renderPatSection,
  renderPmt as renderPmtSection,
  renderSection,
} from '@millrace/media/mpegts'

const STREAM_ID = 1

/** A descriptor: tag, then its bytes. */
export type Descriptor = readonly [tag: number, ...body: number[]]

export interface PmtStream {
  readonly pid: number
  readonly streamType: number
  readonly descriptors: readonly Descriptor[]
}

export function renderPat(version: number, programs: readonly { number: number; pmtPid: number }[]): Uint8Array {
  return renderPatSection({
    transportStreamId: STREAM_ID,
    version,
    current: true,
    sectionNumber: 0,
    lastSectionNumber: 0,
    networkPid: undefined,
    programs: programs.map(({ number, pmtPid }) => ({ program: number, pmtPid })),
  })
}

/** A CAT with one CA_descriptor (conditional access system 0x0B00, EMMs on PID 0x1FF0, which no stream here uses). */
export function renderCat(version: number): Uint8Array {
  const body = renderDescriptors([[0x09, 0x0b, 0x00, 0xff, 0xf0]])
  return renderSection(0x01, 0xffff, { version, current: true }, 0, 0, body)
}

export function renderPmt(pmt: {
  readonly version: number
  readonly program: number
  readonly pcrPid: number
  readonly descriptors: readonly Descriptor[]
  readonly streams: readonly PmtStream[]
}): Uint8Array {
  return renderPmtSection({
    ...pmt,
    current: true,
    descriptors: Uint8Array.from(renderDescriptors(pmt.descriptors)),
    streams: pmt.streams.map((stream) => ({
      ...stream,
      descriptors: Uint8Array.from(renderDescriptors(stream.descriptors)),
    })),
  })
}

/** An SDT of the actual transport stream that names each program `Program <number>`. */
export function renderSdt(version: number, programs: readonly number[]): Uint8Array {
  const services = programs.flatMap((number) => {
    const descriptors = renderDescriptors([[0x48, 0x01, ...text('Millrace'), ...text(`Program ${number}`)]])
    return [...word(number), 0xfc, ...word(0x8000 | descriptors.length), ...descriptors]
  })
  return renderSection(0x42, STREAM_ID, { version, current: true }, 0, 0, [...word(1), 0xff, ...services])
}

/** A splice_info_section with splice_null(), which encoders send as a heartbeat. */
export function renderSpliceNull(): Uint8Array {
  const body = [0x00, 0x00, 0, 0, 0, 0, 0x00, 0xff, 0xf0, 0x00, 0x00, 0x00, 0x00]
  return withCrc([0xfc, ...word(0x3000 | (body.length + 4)), ...body])
}

function withCrc(bytes: readonly number[]): Uint8Array {
  const crc = crc32Mpeg(Uint8Array.from(bytes), 0, bytes.length)
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
