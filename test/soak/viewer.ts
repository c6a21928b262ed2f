// A viewer of the soak: a light reader that is checked for continuity, and whose packets are compared with those of the
// reference of its pipeline as they come.
import { HttpReader } from '../oracle/http-reader.js'
import type { HttpReaderReport } from '../oracle/http-reader.js'
import { PacketSplitter } from './packet-splitter.js'
import type { ExcludedPids } from './packet-splitter.js'
import type { ReferenceViewer } from './reference-viewer.js'

/** Packets, about 4 s: between two that begin a unit there are far fewer. */
const MAX_UNKNOWN = 3000

export class Viewer implements AsyncDisposable {
  readonly reader: HttpReader
  readonly url: string
  /** Of its output; changes with a rename. */
  node: string
  /** `address:port` of its own end, once it is connected. */
  client = ''
  /** What the engine calls its session; undefined before it was seen. */
  session: string | undefined
  readonly reference: ReferenceViewer
  /** Packets that have not been compared yet. */
  readonly #pending: Buffer[] = []
  readonly #splitter: PacketSplitter
  /** Where the next packet is in what the reference got; undefined before a packet was found there. */
  #position: number | undefined
  #toldErrors = 0
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

  /** Packets that were found to be the same as the reference's. */
  get compared(): number {
    return this.#compared
  }

  /** What is wrong with what it got since it was asked last; undefined for nothing. */
  fault(): string | undefined {
    const { ts } = this.report()
    const errors = (ts?.continuityErrors ?? 0) + (ts?.syncErrors ?? 0) + (ts?.duplicates ?? 0)
    const differs = this.#compare()
    if (differs !== undefined) return differs
    if (errors === this.#toldErrors) return undefined
    this.#toldErrors = errors
    const { continuityErrorsByPid, syncErrors, duplicates } = ts ?? {}
    return `continuity errors by PID ${JSON.stringify(continuityErrorsByPid)}, sync errors ${syncErrors}, duplicates ${duplicates}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }

  #compare(): string | undefined {
    const count = this.#findPosition()
    if (this.#position === undefined && this.#pending.length > MAX_UNKNOWN) return 'nothing that its reference has got'
    for (const packet of this.#pending.splice(0, count)) {
      const expected = this.reference.packetAt(this.#position ?? 0)
      if (expected?.equals(packet) !== true) return this.#differs(packet, expected)
      this.#position = (this.#position ?? 0) + 1
      this.#compared++
    }
    return undefined
  }

  /** Returns how many of the pending packets can be compared now. What comes before the first position is its own. */
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
    // Compared anew from the next packet that is known: one fault is told once.
    this.#position = undefined
    if (expected === undefined) return `it is ${this.reference.end - position} packets behind the reference`
    if (real === undefined)
      return `after packet ${position} of its reference ${this.#describeForeign(packet, position)}`
    return real > position ? `a gap of ${real - position} packets` : `${position - real} packets once more`
  }

  /** How many packets come that the reference never got, and with which of its packets it goes on. */
  #describeForeign(packet: Buffer, position: number): string {
    const rest = [packet, ...this.#pending]
    const known = rest.findIndex((each) => this.reference.find(each, position) !== undefined)
    const next = rest[known]
    const then = next === undefined ? 'nothing that it has got' : `its packet ${this.reference.find(next, position)}`
    return `there are ${known < 0 ? rest.length : known} packets of nobody, ${packet.toString('hex', 0, 8)}..., then ${then}`
  }
}
