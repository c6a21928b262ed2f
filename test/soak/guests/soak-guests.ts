// Everything outside of the engine that a configuration of the soak needs: publishers, UDP senders and receivers, writers
// to unix sockets, and what programs report to. Follows the configuration from edit to edit.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { join } from 'node:path'
import type { ConfigModel, NodeModel, PipelineModel } from '../config-model.js'
import { copyName, outputsOf, takenKeys, textOf } from '../config-model.js'
import { SINK_SOCKET } from '../first-config.js'
import type { SoakViewers } from '../soak-viewers.js'
import { ProgramSink } from './program-sink.js'
import { StreamSender } from './stream-sender.js'
import { UdpReceiver } from './udp-receiver.js'
import { UdpSender } from './udp-sender.js'

/** Clocks of different senders are this far apart, so no packet of one is found in the stream of another. */
const START_STEP_90K = 1000 * 90_000

export class SoakGuests implements AsyncDisposable {
  readonly sink: ProgramSink
  /** UDP port that is in use. */
  readonly busyPort: number
  readonly #busy: Socket
  /** Publishers of pattern pipelines, by the name of the copy. */
  readonly publishers = new Map<string, StreamSender>()
  /** Writers to unix sockets, by path. */
  readonly writers = new Map<string, StreamSender>()
  /** By pipeline. */
  readonly udpSenders = new Map<string, UdpSender>()
  readonly udpReceivers = new Set<UdpReceiver>()
  /** Pipelines whose stream the soak itself has interrupted since the last check. */
  readonly interrupted = new Set<string>()
  /** Streams whose end is awaited. */
  readonly ending = new Set<Promise<void>>()
  #endFaults: string[] = []
  #leftCompared = 0
  readonly #folder: string
  readonly #clip: Uint8Array
  #model: ConfigModel
  #starts = 0

  private constructor(folder: string, clip: Uint8Array, model: ConfigModel, sink: ProgramSink, busy: Socket) {
    this.#folder = folder
    this.#clip = clip
    this.#model = model
    this.sink = sink
    this.#busy = busy
    this.busyPort = busy.address().port
  }

  /** Opens what the first configuration needs. */
  static async open(folder: string, clip: Uint8Array, model: ConfigModel): Promise<SoakGuests> {
    const busy = createSocket('udp4')
    await new Promise<void>((resolve) => busy.bind(0, '127.0.0.1', resolve))
    const guests = new SoakGuests(folder, clip, model, await ProgramSink.open(join(folder, SINK_SOCKET)), busy)
    await guests.prepare(model)
    return guests
  }

  /** Packets of UDP outputs and of programs that were found equal to the reference. */
  get compared(): number {
    return [...this.udpReceivers].reduce((sum, { compared }) => sum + compared, this.sink.compared + this.#leftCompared)
  }

  /** Before `next` is saved: what it needs is there, beside what runs. */
  async prepare(next: ConfigModel): Promise<void> {
    for (const pipeline of next.pipelines) await this.#prepareInput(pipeline)
    for (const { id, was, node } of outputsOf(next)) {
      if (node.type !== 'udp') continue
      const receiver = this.#receiverOf(was) ?? this.#receiverOf(id) ?? new UdpReceiver(id)
      this.udpReceivers.add(receiver)
      await receiver.listen(textOf(node.options, 'address'))
    }
    const stay = publishedNames(next)
    for (const [name, publisher] of this.publishers) if (!stay.has(name)) publisher.leaves()
    const paths = unixPaths(next)
    for (const [path, writer] of this.writers) if (!paths.has(path)) writer.leaves()
  }

  /** `next` runs: what it does not need is gone. */
  async adopt(next: ConfigModel): Promise<void> {
    this.#model = next
    for (const { id, was, node } of outputsOf(next)) {
      if (node.type !== 'udp' || id === was) continue
      for (const receiver of this.udpReceivers) if (receiver.output === was) receiver.output = id
    }
    await disposeOthers(this.publishers, publishedNames(next))
    await disposeOthers(this.writers, unixPaths(next))
    const udp = next.pipelines.filter(({ inputs }) => inputs[0]?.type === 'udp')
    await disposeOthers(this.udpSenders, new Set(udp.map(({ name }) => name)))
    for (const { name, inputs } of udp) {
      const sender = this.udpSenders.get(name)
      if (sender !== undefined) sender.targets = [textOf(inputs[0]?.options, 'address')]
    }
    const outputs = new Set(outputsOf(next).map(({ id }) => id))
    for (const receiver of this.udpReceivers) {
      if (outputs.has(receiver.output)) continue
      this.#leftCompared += receiver.compared
      this.udpReceivers.delete(receiver)
      await receiver[Symbol.asyncDispose]()
    }
    for (const pipeline of next.pipelines) this.#publish(pipeline)
  }

  /** The reference viewers are there: what outputs have sent is compared with theirs. */
  expectReferences(viewers: SoakViewers): void {
    for (const { id, node, of } of outputsOf(this.#model)) {
      if (node.type === 'udp') this.#receiverOf(id)?.expect(viewers.referenceOf(of.name))
      if (node.type === 'exec') this.sink.expect(tagOf(node), viewers.referenceOf(of.name))
    }
  }

  /** The plan announces a gap behind these nodes. */
  allowGaps(nodes: ReadonlySet<string>): void {
    const outputs = new Set(outputsOf(this.#model).map(({ id }) => id))
    const behind = new Set([...nodes].filter((id) => !outputs.has(id)).map((id) => id.split('/')[0]))
    for (const { id, node, of } of outputsOf(this.#model)) {
      const isBehind = behind.has(of.name)
      if (node.type === 'udp' && isBehind) this.#receiverOf(id)?.allowGap()
      if (node.type === 'exec' && (isBehind || nodes.has(id))) this.sink.allowGap(tagOf(node), nodes.has(id))
    }
  }

  /** What is wrong since the last call. */
  faults(): string[] {
    const faults = [...this.sink.faults(), ...this.#endFaults]
    this.#endFaults = []
    for (const receiver of this.udpReceivers) {
      const fault = receiver.fault()
      if (fault !== undefined) faults.push(`UDP output ${receiver.output}: ${fault}`)
    }
    for (const sender of [...this.publishers.values(), ...this.writers.values()]) faults.push(...sender.takeFaults())
    return faults
  }

  /** Its rejection is a fault. */
  awaitEnd(end: Promise<void>): void {
    const ending: Promise<void> = end
      .catch((error: unknown) => void this.#endFaults.push(String(error)))
      .finally(() => this.ending.delete(ending))
    this.ending.add(ending)
  }

  /** Another publisher of that key. */
  createPublisher(pipeline: PipelineModel, key: string): StreamSender {
    return this.#sender(copyName(pipeline.name, key), `${key}\n`, () => this.#listenerOf(pipeline.name))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#busy.close()
    const senders = [...this.publishers.values(), ...this.writers.values(), ...this.udpSenders.values()]
    await Promise.all([...senders, ...this.udpReceivers, this.sink].map((each) => each[Symbol.asyncDispose]()))
  }

  async #prepareInput({ name, inputs }: PipelineModel): Promise<void> {
    const [input] = inputs
    if (input?.type === 'unix') this.#writeTo(textOf(input.options, 'path'))
    if (input?.type !== 'udp') return
    const sender = this.udpSenders.get(name) ?? (await UdpSender.open(this.#clip, this.#nextStart()))
    this.udpSenders.set(name, sender)
    sender.targets = [...new Set([...sender.targets, textOf(input.options, 'address')])]
  }

  #writeTo(path: string): void {
    if (this.writers.has(path)) return
    this.writers.set(
      path,
      this.#sender(path, '', () => ({ path: join(this.#folder, path) })),
    )
  }

  #publish(pipeline: PipelineModel): void {
    for (const key of takenKeys(pipeline)) {
      const name = copyName(pipeline.name, key)
      if (key !== undefined && !this.publishers.has(name)) {
        this.publishers.set(name, this.createPublisher(pipeline, key))
      }
    }
  }

  #sender(name: string, header: string, to: () => { host: string; port: number } | { path: string }): StreamSender {
    return new StreamSender({ name, header, to, clip: this.#clip, start90k: this.#nextStart() })
  }

  #nextStart(): number {
    return ++this.#starts * START_STEP_90K
  }

  #receiverOf(output: string): UdpReceiver | undefined {
    return [...this.udpReceivers].find((each) => each.output === output)
  }

  #listenerOf(name: string): { host: string; port: number } {
    const { pipelines, listeners } = this.#model
    const input = pipelines.find((each) => each.name === name)?.inputs[0]
    const [, port = ''] = textOf(listeners[textOf(input?.options, 'listener')], 'address').split(':')
    return { host: '127.0.0.1', port: Number(port) }
  }
}

/** The tag of the program of an `exec` output. */
export function tagOf({ options }: NodeModel): string {
  return (options['command'] as readonly string[])[3] ?? ''
}

function publishedNames({ pipelines }: ConfigModel): ReadonlySet<string> {
  return new Set(pipelines.flatMap((pipeline) => takenKeys(pipeline).map((key) => copyName(pipeline.name, key))))
}

function unixPaths({ pipelines }: ConfigModel): ReadonlySet<string> {
  const inputs = pipelines.flatMap((pipeline) => pipeline.inputs).filter(({ type }) => type === 'unix')
  return new Set(inputs.map(({ options }) => textOf(options, 'path')))
}

async function disposeOthers(all: Map<string, AsyncDisposable>, stay: ReadonlySet<string>): Promise<void> {
  for (const [name, each] of all) {
    if (stay.has(name)) continue
    all.delete(name)
    await each[Symbol.asyncDispose]()
  }
}
