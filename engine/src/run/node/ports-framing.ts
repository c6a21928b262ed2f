// Processes the bytes that a transform emits on its ports of kind `bytes`: a framer for each port, one generation and one
// timeline over all of them.
import { AlignedTimelines, Framer } from '@millrace/media/mpegts'
import type { JunctionRules, TsChunk } from '@millrace/media/mpegts'

export interface PortsFramingSettings {
  readonly ports: readonly string[]
  /** Number of the first generation; by default 0. */
  readonly generation?: number
  send(port: string, chunk: TsChunk): void
}

interface FramedPort {
  readonly name: string
  framer: Framer
  /** The port has ended for good. */
  isOver: boolean
}

export class PortsFraming {
  /** Called with each chunk; whoever continues the framing of another node replaces it. */
  send: PortsFramingSettings['send']
  readonly #ports: readonly FramedPort[]
  readonly #timelines: AlignedTimelines
  #generation: number
  #isEmpty = true

  constructor({ ports, generation = 0, send }: PortsFramingSettings) {
    this.send = send
    this.#generation = generation
    this.#ports = ports.map((name) => ({ name, framer: new Framer({ generation }), isOver: false }))
    this.#timelines = new AlignedTimelines(ports.length, (index, chunk) => this.send(ports[index] ?? '', chunk))
  }

  /** Why no viewer can start in the stream of some port; empty while one can in each. */
  get obstacle(): string {
    return this.#ports.map(({ framer }) => framer.obstacle).find((why) => why !== '') ?? ''
  }

  get ports(): readonly string[] {
    return this.#ports.map(({ name }) => name)
  }

  /** Of all ports. */
  get generation(): number {
    return this.#generation
  }

  /** Packets dropped at junctions. */
  get droppedPackets(): number {
    return this.#timelines.droppedPackets
  }

  push(name: string, bytes: Uint8Array, nowMs: number): void {
    const index = this.#ports.findIndex((port) => port.name === name)
    const port = this.#ports[index]
    if (port === undefined || port.isOver) return
    if (bytes.length > 0) this.#isEmpty = false
    this.#take(index, port.framer.push(bytes, nowMs))
  }

  /** Called every batch. */
  flush(nowMs: number): void {
    for (const [index, { framer, isOver }] of this.#ports.entries()) if (!isOver) this.#take(index, framer.flush(nowMs))
    this.#timelines.flush(nowMs)
  }

  /** Ends the generation on all ports; one without any bytes does not count. */
  endGeneration(rules: JunctionRules, nowMs: number): void {
    if (this.#isEmpty) return
    this.#isEmpty = true
    const last = this.#ports.map(({ framer, isOver }) => (isOver ? [] : framer.finish(nowMs)))
    this.#timelines.endGeneration(last, rules)
    this.#generation++
    for (const port of this.#ports) {
      port.framer = new Framer({ generation: this.#generation, firstSeq: port.framer.nextSeq, before: port.framer })
    }
  }

  /** The port has ended for good: sends everything that is left. Safe twice. */
  finish(name: string, nowMs: number): void {
    const index = this.#ports.findIndex((port) => port.name === name)
    const port = this.#ports[index]
    if (port === undefined || port.isOver) return
    port.isOver = true
    this.#take(index, port.framer.finish(nowMs))
    this.#timelines.end(index)
  }

  #take(index: number, chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) this.#timelines.push(index, chunk)
  }
}
