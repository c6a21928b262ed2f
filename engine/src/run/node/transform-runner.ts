// Runs a transform: connects its inlets, and connects its observables to ports. What it emits on ports of kind `bytes` is
// framed here.
import { Subscription } from 'rxjs'
import type { NodeStatus } from '../../observe/status.js'
import type {
  AnyChunk,
  ArrivedBytes,
  Boundary,
  ChunkKind,
  Port as DeclaredPort,
  Transform,
} from '../../plugin/contract.js'
import { chunkFault } from '../edge/chunk-fault.js'
import { continueCounters, lostAtMs, whyNoneStarts } from '../edge/edge.js'
import type { NodeSettings } from '../../graph/graph.js'
import { type AnyNodeRunner, type NodePlacement, NodeRunner } from './node-runner.js'
import { Port } from '../edge/port.js'
import { ArrivalTimes } from './arrival-times.js'
import { PortsFraming } from './ports-framing.js'
import { runError } from './run-errors.js'
import type { NodeServices } from './node-services.js'

/** How long bytes are collected into a chunk. */
const BATCH_MS = 50

/** What an observable of `apply` can emit, of any port. */
type Emitted = AnyChunk | Uint8Array | ArrivedBytes | Boundary

export class TransformRunner extends NodeRunner<Transform> {
  readonly ports: ReadonlyMap<string, Port>
  #subscriptions = new Subscription()
  #open = 0
  #lostAtMs = -Infinity
  #isDraining = false
  /** Of the ports of kind `bytes`, if there are any: kept when the node is opened again. */
  #framing: PortsFraming | undefined
  #arrivals: ReadonlyMap<string, ArrivalTimes> = new Map()
  #flushTimer: Disposable | undefined
  /** What the nodes that it replaces have sent on ports that it does not have. */
  #formerBytes = 0

  constructor(settings: NodeSettings, services: NodeServices, placement: NodePlacement = {}) {
    super(settings, services, placement)
    const { before, isHandoff } = placement
    const shared = isHandoff === true && before instanceof TransformRunner ? before : undefined
    const portOf = ({ name, kind }: DeclaredPort): Port => {
      const isSame = shared?.settings.ports.some((port) => port.name === name && port.kind === kind) === true
      return (isSame ? shared?.ports.get(name) : undefined) ?? new Port()
    }
    this.ports = new Map(settings.ports.map((port) => [port.name, portOf(port)]))
    for (const port of this.ports.values()) port.owner = this
  }

  /** The port of that name; the graph check has made sure that it is declared. */
  port(name: string): Port {
    const port = this.ports.get(name)
    if (port === undefined) throw new TypeError(`${this.id} has no port ${name}`)
    return port
  }

  get receivedBytes(): number {
    return this.edges.reduce((sum, edge) => sum + edge.counters.receivedBytes, 0)
  }

  get sentBytes(): number {
    let sum = this.#formerBytes
    for (const port of this.ports.values()) sum += port.sentBytes
    return sum
  }

  /** What it says of the stream itself, else what is said of the streams that it reads. */
  get whyNoStart(): string {
    if (this.state === 'degraded') return this.why
    const obstacle = this.#framing?.obstacle ?? ''
    return obstacle === '' ? whyNoneStarts(this.edges) : obstacle
  }

  get lostAtMs(): number {
    return Math.max(this.#lostAtMs, lostAtMs(this.edges))
  }

  /** Packets dropped where a new generation begins; undefined if it has no port of kind `bytes`. */
  get droppedPackets(): number | undefined {
    return this.#framing?.droppedPackets ?? (this.#bytesPorts().length > 0 ? 0 : undefined)
  }

  override status(): NodeStatus {
    const sentBytes = (name: string): number => this.ports.get(name)?.sentBytes ?? 0
    const ports = this.settings.ports.map(({ name, kind }) => ({ name, kind, sentBytes: sentBytes(name) }))
    return { ...super.status(), ports }
  }

  /** It receives no more chunks. If it is down, or goes down later, its ports complete. */
  drain(): void {
    this.#isDraining = true
    this.#completeIfDown()
  }

  /** On all ports. */
  protected override endStream(): void {
    this.#lostAtMs = this.services.clock.nowMs()
    this.#endGeneration('elapsed')
  }

  protected override takeOver(before: AnyNodeRunner): void {
    if (!(before instanceof TransformRunner)) return
    this.#formerBytes = before.#formerBytes
    for (const [name, { sentBytes }] of before.ports) {
      const port = this.ports.get(name)
      if (port === undefined) this.#formerBytes += sentBytes
      else port.sentBytes = sentBytes
    }
    continueCounters(before.edges, this.edges)
    this.#continueFraming(before)
  }

  protected override connectStreams(): void {
    const { definition, ports } = this.settings
    const transform = this.node
    if (definition.kind !== 'transform' || transform === undefined) return
    for (const edge of this.edges) edge.attach()
    this.#startFraming()
    this.calls.enter(() => {
      const outlets = transform.apply(this.edges.map((edge) => edge.inlet))
      this.#open = ports.length
      for (const { name, kind } of ports) {
        const outlet = outlets[name]
        if (outlet === undefined)
          throw runError('NODE_NO_SUCH_PORT', `${definition.type} returned no observable for port ${name}`)
        const port = this.port(name)
        this.#subscriptions.add(
          outlet.subscribe({
            next:
              kind === 'bytes'
                ? (item) => this.#takeBytes(name, item)
                : (chunk) => this.#takeChunk({ name, kind }, port, chunk as AnyChunk),
            error: (error: unknown) => this.fail(error),
            complete: () => this.#complete(name, port),
          }),
        )
      }
    })
    if (this.state === 'opening') this.settle('ready')
  }

  protected override disconnectStreams(): void {
    const subscriptions = this.#subscriptions
    this.#subscriptions = new Subscription()
    this.#flushTimer?.[Symbol.dispose]()
    this.#flushTimer = undefined
    for (const edge of this.edges) edge.detach()
    subscriptions.unsubscribe()
  }

  protected override end(): void {
    for (const [name, port] of this.ports) this.#finish(name, port)
    super.end()
  }

  protected override setState(...change: Parameters<NodeRunner<Transform>['setState']>): void {
    super.setState(...change)
    this.#completeIfDown()
  }

  #startFraming(): void {
    const ports = this.#bytesPorts()
    if (ports.length === 0) return
    this.#framing ??= this.#makeFraming(0)
    this.#arrivals = new Map(ports.map((name) => [name, new ArrivalTimes()]))
    const { clock } = this.services
    this.#flushTimer?.[Symbol.dispose]()
    this.#flushTimer = clock.every(BATCH_MS, () => this.calls.enter(() => this.#framing?.flush(clock.nowMs())))
  }

  #makeFraming(generation: number): PortsFraming {
    return new PortsFraming({ ports: this.#bytesPorts(), generation, send: (...sent) => this.#sendFramed(...sent) })
  }

  #bytesPorts(): readonly string[] {
    return this.settings.ports.filter(({ kind }) => kind === 'bytes').map(({ name }) => name)
  }

  /** After a handoff its readers are those of the old node, whose streams continue as after a restart. */
  #continueFraming(before: TransformRunner): void {
    const framing = before.#framing
    const isShared = [...this.ports].some(([name, port]) => before.ports.get(name) === port)
    if (framing === undefined || !isShared) return
    before.#framing = undefined
    framing.endGeneration({ timeline: 'elapsed' }, this.services.clock.nowMs())
    const isSame = framing.ports.join() === this.#bytesPorts().join()
    this.#framing = isSame ? framing : this.#makeFraming(framing.generation)
    this.#framing.send = (...sent) => this.#sendFramed(...sent)
  }

  #takeChunk({ name, kind }: { readonly name: string; readonly kind: ChunkKind }, port: Port, chunk: AnyChunk): void {
    const fault = chunkFault(chunk, kind)
    if (fault === undefined) this.#send(port, chunk)
    else this.fail(runError('NODE_WRONG_ITEM', `port ${name} ${fault}`, { at: this.id }))
  }

  #takeBytes(name: string, item: Emitted): void {
    this.calls.enter(() => {
      const nowMs = this.services.clock.nowMs()
      if (item instanceof Uint8Array)
        this.#framing?.push(name, item, this.#arrivals.get(name)?.of(nowMs, nowMs) ?? nowMs)
      else if ('boundary' in item) this.#endGeneration(item.timeline)
      else if ('kind' in item) {
        throw runError('NODE_WRONG_ITEM', `port ${name} of kind bytes has emitted a ${item.kind} chunk`)
      } else {
        const atMs = this.#arrivals.get(name)?.of(item.receivedAtMs, nowMs) ?? nowMs
        this.#framing?.push(name, item.bytes, atMs)
      }
    })
  }

  #endGeneration(timeline: Boundary['timeline']): void {
    this.#framing?.endGeneration({ timeline }, this.services.clock.nowMs())
  }

  #sendFramed(name: string, chunk: AnyChunk): void {
    const port = this.ports.get(name)
    if (port !== undefined) this.#send(port, chunk)
  }

  #send(port: Port, chunk: AnyChunk): void {
    if (chunk.discontinuity === 'marked' && this.isStandby) port.isMarked = true
    port.push(chunk)
  }

  #completeIfDown(): void {
    if (!this.#isDraining || this.isLive) return
    for (const port of this.ports.values()) port.complete()
  }

  #complete(name: string, port: Port): void {
    this.#finish(name, port)
    if (--this.#open === 0) this.end()
  }

  #finish(name: string, port: Port): void {
    this.#framing?.finish(name, this.services.clock.nowMs())
    port.complete()
  }
}
