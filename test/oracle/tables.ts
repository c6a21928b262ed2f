// Reads PAT and PMTs, and checks their CRC and that of CAT, NIT, SDT and EIT: ISO/IEC 13818-1 clauses 2.4.4.3 to
// 2.4.4.9, TR 101 290 2.2.
import type { TsPacket } from './ts-packet.js'

const PAT_PID = 0
/** PAT, CAT, NIT, SDT and EIT: always sections, regardless of the PAT. TDT (0x14) has no CRC. */
const SECTION_PIDS = [0x00, 0x01, 0x10, 0x11, 0x12]
const MAX_SECTION = 4096

export interface TableReport {
  /** Sections with a right CRC. */
  sections: number
  crcErrors: number
  /** Versions in the order in which they took effect, the first hundred. */
  readonly versions: number[]
  firstPacket: number
}

export interface StreamReport {
  readonly pid: number
  readonly streamType: number
  readonly program: number
}

interface Assembly {
  bytes: number[]
}

export class Tables {
  /** By PID, for PIDs on which a section was seen. */
  readonly byPid: Record<number, TableReport> = {}
  /** Program number to PMT PID, from the newest PAT. */
  readonly programs = new Map<number, number>()
  /** By PID, from the newest PMTs. */
  readonly streams = new Map<number, StreamReport>()
  readonly pcrPids = new Map<number, number>()
  readonly #assemblies = new Map<number, Assembly>()

  isSectionPid(pid: number): boolean {
    return SECTION_PIDS.includes(pid) || [...this.programs.values()].includes(pid)
  }

  get hasAll(): boolean {
    return this.programs.size > 0 && [...this.programs.values()].every((pid) => (this.byPid[pid]?.sections ?? 0) > 0)
  }

  get crcErrors(): number {
    return Object.values(this.byPid).reduce((sum, table) => sum + table.crcErrors, 0)
  }

  take(packet: TsPacket): void {
    const { payload, pid } = packet
    if (!packet.unitStart) return this.#append(packet, payload)
    const pointer = payload[0] ?? 0
    this.#append(packet, payload.subarray(1, 1 + pointer))
    this.#assemblies.set(pid, { bytes: [] })
    this.#append(packet, payload.subarray(1 + pointer))
  }

  /** Discards the incomplete section of a PID: after a loss. */
  forget(pid: number): void {
    this.#assemblies.delete(pid)
  }

  #append(packet: TsPacket, bytes: Uint8Array): void {
    const assembly = this.#assemblies.get(packet.pid)
    if (assembly === undefined) return
    if (assembly.bytes.length > MAX_SECTION) return this.forget(packet.pid)
    assembly.bytes.push(...bytes)
    for (;;) {
      const [tableId, high = 0, low = 0] = assembly.bytes
      if (tableId === undefined || tableId === 0xff || assembly.bytes.length < 3) return
      const length = 3 + (high & 0x0f) * 256 + low
      if (assembly.bytes.length < length) return
      this.#section(packet, assembly.bytes.slice(0, length))
      assembly.bytes = assembly.bytes.slice(length)
    }
  }

  #section(packet: TsPacket, section: readonly number[]): void {
    const { pid } = packet
    const table = (this.byPid[pid] ??= { sections: 0, crcErrors: 0, versions: [], firstPacket: packet.index })
    if (crcRemainder(section) !== 0) {
      table.crcErrors++
      return
    }
    table.sections++
    const version = ((section[5] ?? 0) >> 1) & 31
    if (table.versions.at(-1) !== version && table.versions.length < 100) table.versions.push(version)
    if (pid === PAT_PID && section[0] === 0) this.#readPat(section)
    if (section[0] === 2) this.#readPmt(section)
  }

  #readPat(section: readonly number[]): void {
    this.programs.clear()
    for (let at = 8; at + 4 <= section.length - 4; at += 4) {
      const program = word(section, at)
      if (program !== 0) this.programs.set(program, word(section, at + 2) & 0x1fff)
    }
  }

  #readPmt(section: readonly number[]): void {
    const program = word(section, 3)
    for (const [pid, stream] of this.streams) if (stream.program === program) this.streams.delete(pid)
    this.pcrPids.set(program, word(section, 8) & 0x1fff)
    let at = 12 + (word(section, 10) & 0x0fff)
    while (at + 5 <= section.length - 4) {
      const pid = word(section, at + 1) & 0x1fff
      this.streams.set(pid, { pid, program, streamType: section[at] ?? 0 })
      at += 5 + (word(section, at + 3) & 0x0fff)
    }
  }
}

function word(bytes: readonly number[], at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
}

/** Zero over a section including its CRC_32, ISO/IEC 13818-1 annex A; written as the shift register of the standard. */
function crcRemainder(bytes: readonly number[]): number {
  let register = 0xffffffff
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const out = (register >>> 31) ^ ((byte >> bit) & 1)
      register = (register << 1) >>> 0
      if (out === 1) register = (register ^ 0x04c11db7) >>> 0
    }
  }
  return register
}
