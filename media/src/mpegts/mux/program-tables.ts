// The tables of the muxer's one program: PAT, PMT and, if the service has a name, SDT (ETSI EN 300 468 5.2.3). They are
// rendered when they change and repeated as packets.
import { PAT_PID } from '../packet.js'
import type { PmtStream } from '../pmt.js'
import { packetise, renderPat, renderPmt, renderSection } from '../render-psi.js'
import type { PacketWriter, PidCounter } from './packet-writer.js'

const SDT_PID = 0x11
const SDT_TABLE_ID = 0x42
const SERVICE_DESCRIPTOR = 0x48
const DIGITAL_TELEVISION = 0x01
const STREAM_ID = 1
const PROGRAM = 1
/** An SDT may be absent for two seconds, ETSI TR 101 211 4.4. */
const SDT_INTERVAL_90K = 90_000
const MAX_NAME = 100
const NONE = new Uint8Array(0)

export interface Service {
  readonly name: string
  readonly provider: string
}

export class ProgramTables {
  readonly #pat: PidCounter = { pid: PAT_PID, next: 0 }
  readonly #pmt: PidCounter
  readonly #sdt: PidCounter = { pid: SDT_PID, next: 0 }
  readonly #patPackets: Uint8Array
  readonly #sdtPackets: Uint8Array
  #pmtPackets: Uint8Array = NONE
  #version = -1
  #lastSdt90k = -Infinity

  constructor(pmtPid: number, service: Service | undefined) {
    this.#pmt = { pid: pmtPid, next: 0 }
    const pat = {
      transportStreamId: STREAM_ID,
      version: 0,
      current: true,
      sectionNumber: 0,
      lastSectionNumber: 0,
      networkPid: undefined,
    }
    this.#patPackets = packetise(renderPat({ ...pat, programs: [{ program: PROGRAM, pmtPid }] }), PAT_PID, 0)
    this.#sdtPackets = service === undefined ? NONE : packetise(renderSdt(service), SDT_PID, 0)
  }

  /** version_number of the PMT; -1 before the first. */
  get version(): number {
    return this.#version
  }

  /** The next PMT has these streams, and the next version. */
  change(pcrPid: number, streams: readonly PmtStream[]): void {
    this.#version = (this.#version + 1) & 31
    const section = renderPmt({
      program: PROGRAM,
      version: this.#version,
      current: true,
      pcrPid,
      descriptors: NONE,
      streams,
    })
    this.#pmtPackets = packetise(section, this.#pmt.pid, 0)
  }

  write(writer: PacketWriter, at90k: number): void {
    writer.writeSection(this.#pat, this.#patPackets)
    writer.writeSection(this.#pmt, this.#pmtPackets)
    if (this.#sdtPackets.length === 0 || Math.abs(at90k - this.#lastSdt90k) < SDT_INTERVAL_90K) return
    this.#lastSdt90k = at90k
    writer.writeSection(this.#sdt, this.#sdtPackets)
  }
}

function renderSdt({ name, provider }: Service): Uint8Array {
  const texts = [...textOf(provider), ...textOf(name)]
  const descriptor = [SERVICE_DESCRIPTOR, 1 + texts.length, DIGITAL_TELEVISION, ...texts]
  // original_network_id, reserved; service_id, no EIT, running, not scrambled.
  const body = [0, STREAM_ID, 0xff, 0, PROGRAM, 0xfc, 0x80 | (descriptor.length >>> 8), descriptor.length & 0xff]
  return renderSection(SDT_TABLE_ID, STREAM_ID, { version: 0, current: true }, 0, 0, [...body, ...descriptor])
}

/** UTF-8, announced by 0x15, ETSI EN 300 468 annex A.2; cut to what fits. */
function textOf(text: string): number[] {
  const bytes: number[] = [0x15]
  const encoder = new TextEncoder()
  for (const letter of text) {
    const encoded = encoder.encode(letter)
    if (bytes.length + encoded.length > MAX_NAME) break
    bytes.push(...encoded)
  }
  return [bytes.length, ...bytes]
}
