// A viewer of the soak: an HTTP reader that is checked for continuity, and whose packets are compared with those of the
// reference viewer of its pipeline as they arrive.
import { HttpReader } from '../oracle/http-reader.js'
import type { HttpReaderReport } from '../oracle/http-reader.js'
import { PacketSplitter } from './packet-splitter.js'
import type { ExcludedPids } from './packet-splitter.js'
import type { ReferenceViewer } from './reference-viewer.js'

/** In packets, about 4 s: unit starts are much closer together. */
const MAX_UNKNOWN = 3000

export class Viewer implements AsyncDisposable {
  readonly reader: HttpReader
  readonly url: string
  /** Id of its output; changes with a rename. */
  node: string
  /** `address:port` of its local end, once connected. */
  client = ''
  /** The engine's id of its session; undefined until it has been seen. */
  session: string | undefined
  readonly reference: ReferenceViewer
  /** Packets not compared yet. */
  readonly #pending: Buffer[] = []
  readonly #splitter: PacketSplitter
  /** Position of the next packet in the reference stream; undefined until a packet is found there. */
  #position: number | undefined
  #reportedErrors = 0
  #compared = 0

  constructor(
    url: string,
    node: string,
    reference: ReferenceViewer,
    excluded: ExcludedPids,
    headers: readonly string[],
  ) {
    this.url = url
    this.node = node
    this.reference = reference
    this.#splitter = new PacketSplitter(excluded)
    this.reader = new HttpReader(url, { headers, onBody: (bytes) => this.#pending.push(...this.#splitter.take(bytes)) })
    const { socket } = this.reader
    socket.once('connect', () => {
      this.client = `${socket.localAddress}:${socket.localPort}`
    })
  }

  report(): HttpReaderReport {
    return this.reader.report()
  }

  /** Packets found equal to the reference. */
  get compared(): number {
    return this.#compared
  }

  /** What is wrong with what it received since the last call; undefined if nothing is. */
  fault(): string | undefined {
    const { ts } = this.report()
    const errors = (ts?.continuityErrors ?? 0) + (ts?.syncErrors ?? 0) + (ts?.duplicates ?? 0)
    const differs = this.#compare()
    if (differs !== undefined) return differs
    if (errors === this.#reportedErrors) return undefined
    this.#reportedErrors = errors
    const { continuityErrorsByPid, syncErrors, duplicates } = ts ?? {}
    return `continuity errors by PID ${JSON.stringify(continuityErrorsByPid)}, sync errors ${syncErrors}, duplicates ${duplicates}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }

  #compare(): string | undefined {
    const count = this.#findPosition()
    if (this.#position === undefined && this.#pending.length > MAX_UNKNOWN)
      return 'no packet that the reference viewer has received'
    for (const packet of this.#pending.splice(0, count)) {
      const expected = this.reference.packetAt(this.#position ?? 0)
      if (expected?.equals(packet) !== true) return this.#differs(packet, expected)
      this.#position = (this.#position ?? 0) + 1
      this.#compared++
    }
    return undefined
  }

  /**
   * Returns how many of the pending packets can be compared now. Packets before the first known position are the
   * viewer's own preamble.
   */
  #findPosition(): number {
    if (this.#position === undefined) {
      const known = this.#pending.findIndex((packet) => this.reference.positionOf(packet) !== undefined)
      if (known < 0) return 0
      this.#pending.splice(0, known)
      this.#position = this.#pending[0] === undefined ? undefined : this.reference.positionOf(this.#pending[0])
    }
    return Math.max(0, Math.min(this.#pending.length, this.reference.end - (this.#position ?? 0)))
  }

  #differs(packet: Buffer, expected: Buffer | undefined): string {
    const position = this.#position ?? 0
    const real = this.reference.positionOf(packet) ?? this.reference.find(packet, position)
    // Comparison restarts at the next known packet, so each fault is reported once.
    this.#position = undefined
    if (expected === undefined) return `it is ${this.reference.end - position} packets behind the reference viewer`
    if (real === undefined)
      return `after packet ${position} of the reference viewer ${this.#describeForeign(packet, position)}`
    return real > position ? `a gap of ${real - position} packets` : `${position - real} packets repeated`
  }

  /** How many packets the reference viewer never received, and with which of its packets the stream continues. */
  #describeForeign(packet: Buffer, position: number): string {
    const rest = [packet, ...this.#pending]
    const known = rest.findIndex((each) => this.reference.find(each, position) !== undefined)
    const next = rest[known]
    const then = next === undefined ? 'no known packet' : `its packet ${this.reference.find(next, position)}`
    return `there are ${known < 0 ? rest.length : known} unknown packets, ${packet.toString('hex', 0, 8)}..., then ${then}`
  }
}
