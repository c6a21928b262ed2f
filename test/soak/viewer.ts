// A viewer of the soak: a light reader that is checked for continuity, and whose packets are compared with those of the
// witness of its pipeline as they come.
import { LightReader } from '../oracle/light-reader.js'
import type { LightReport } from '../oracle/light-reader.js'
import { PacketSieve } from './packet-sieve.js'
import type { Sieve } from './packet-sieve.js'
import type { Witness } from './witness.js'

/** Packets, about 4 s: between two that begin a unit there are far fewer. */
const MOST_UNKNOWN = 3000

export class Viewer implements AsyncDisposable {
  readonly reader: LightReader
  readonly url: string
  /** Of its output; changes with a rename. */
  node: string
  /** `address:port` of its own end, once it is connected. */
  client = ''
  /** What the engine calls its session; undefined before it was seen. */
  session: string | undefined
  readonly witness: Witness
  /** Packets that have not been compared yet. */
  readonly #pending: Buffer[] = []
  readonly #sieve: PacketSieve
  /** Where the next packet is in what the witness got; undefined before a packet was found there. */
  #place: number | undefined
  #toldErrors = 0
  #compared = 0

  constructor(url: string, node: string, witness: Witness, sieve: Sieve, headers: readonly string[]) {
    this.url = url
    this.node = node
    this.witness = witness
    this.#sieve = new PacketSieve(sieve)
    this.reader = new LightReader(url, { headers, onBody: (bytes) => this.#pending.push(...this.#sieve.take(bytes)) })
    const { socket } = this.reader
    socket.once('connect', () => {
      this.client = `${socket.localAddress}:${socket.localPort}`
    })
  }

  report(): LightReport {
    return this.reader.report()
  }

  /** Packets that were found to be the same as the witness's. */
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
    const count = this.#findPlace()
    if (this.#place === undefined && this.#pending.length > MOST_UNKNOWN) return 'nothing that its witness has got'
    for (const packet of this.#pending.splice(0, count)) {
      const expected = this.witness.packetAt(this.#place ?? 0)
      if (expected?.equals(packet) !== true) return this.#differs(packet, expected)
      this.#place = (this.#place ?? 0) + 1
      this.#compared++
    }
    return undefined
  }

  /** Returns how many of the pending packets can be compared now. What comes before the first place is its own. */
  #findPlace(): number {
    if (this.#place === undefined) {
      const known = this.#pending.findIndex((packet) => this.witness.placeOf(packet) !== undefined)
      if (known < 0) return 0
      this.#pending.splice(0, known)
      this.#place = this.#pending[0] === undefined ? undefined : this.witness.placeOf(this.#pending[0])
    }
    return Math.max(0, Math.min(this.#pending.length, this.witness.end - (this.#place ?? 0)))
  }

  #differs(packet: Buffer, expected: Buffer | undefined): string {
    const place = this.#place ?? 0
    const real = this.witness.placeOf(packet) ?? this.witness.find(packet, place)
    // Compared anew from the next packet that is known: one fault is told once.
    this.#place = undefined
    if (expected === undefined) return `it is ${this.witness.end - place} packets behind the witness`
    if (real === undefined) return `after packet ${place} of its witness ${this.#describeForeign(packet, place)}`
    return real > place ? `a gap of ${real - place} packets` : `${place - real} packets once more`
  }

  /** How many packets come that the witness never got, and with which of its packets it goes on. */
  #describeForeign(packet: Buffer, place: number): string {
    const rest = [packet, ...this.#pending]
    const known = rest.findIndex((each) => this.witness.find(each, place) !== undefined)
    const next = rest[known]
    const then = next === undefined ? 'nothing that it has got' : `its packet ${this.witness.find(next, place)}`
    return `there are ${known < 0 ? rest.length : known} packets of nobody, ${packet.toString('hex', 0, 8)}..., then ${then}`
  }
}
