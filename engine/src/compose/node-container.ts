// The services of nodes: what the runners of a pipeline use, and the container of each node, a child of the container of
// its pipeline. Whatever a node does through its services happens in its scope.
import { NodeSecrets } from '../access/node-secrets.js'
import { NodeSockets } from '../listen/node-sockets.js'
import type { EngineClock } from '../observe/clock.js'
import type { Definition } from '../plugin/contract.js'
import { AUDIENCE, CLOCK, DELIVERY, EVENTS, LISTENERS, PROCESSES, SECRETS, SOCKETS, STORE } from '../plugin/tokens.js'
import { NodeEndpoints } from '../run/node/node-endpoints.js'
import { NodeEvents } from '../run/node/node-events.js'
import { lostAtMs, whyNoneStarts } from '../run/edge/edge.js'
import type { NodeOwner, NodeServices, OpenNode, OwnServices } from '../run/node/node-services.js'
import type { Lineage, Lineages } from '../state/lineages.js'
import { scopedStore } from './scoped-store.js'
import type { ServiceContainer } from './service-container.js'
import {
  AUDIENCES,
  ENGINE_CLOCK,
  ENGINE_EVENTS,
  ENGINE_PROCESSES,
  EVENT_LOG,
  FILES,
  HIDDEN,
  INPUT_TURNS,
  LINEAGES,
  LOG,
  OWNER,
  REGISTRY,
  RUNNING,
  SCOPE,
  SHARED,
  SOCKET_COUNTS,
} from './service-keys.js'

/** For the runners of the nodes whose containers are children of this one. */
export function nodeServices(parent: ServiceContainer): NodeServices {
  const running = parent.get(RUNNING)
  const audiences = parent.get(AUDIENCES)
  return {
    clock: parent.get(ENGINE_CLOCK),
    log: parent.get(LOG),
    metrics: parent.get(REGISTRY),
    events: parent.get(EVENT_LOG),
    scope: parent.get(SCOPE),
    turns: parent.get(INPUT_TURNS),
    mask: (text) => running.graph.secrets.mask(text),
    sentBytesOf: (id) => audiences.of(id)?.counters.sentBytes ?? 0,
    own: (owner, continues) => new NodeContainer(parent, owner, continues),
  }
}

class NodeContainer implements OwnServices {
  readonly endpoints: NodeEndpoints
  readonly lineage: Lineage
  readonly #lineages: Lineages
  readonly #parent: ServiceContainer
  readonly #owner: NodeOwner
  /** End with the node that was opened last. */
  #parts: (() => void)[] = []

  constructor(parent: ServiceContainer, owner: NodeOwner, continues?: Lineage) {
    this.#parent = parent
    this.#owner = owner
    this.#lineages = parent.get(LINEAGES)
    const { isStandby, calls, settings } = owner
    // Within one run a rename is carried out at the reload that finds it.
    const was = isStandby ? undefined : settings.was
    this.lineage = this.#lineages.join(this, settings, { continues, was })
    if (!isStandby) this.enter(owner.id)
    this.endpoints = new NodeEndpoints({
      ...parent.get(SHARED),
      isStandby,
      owner: () => owner.id,
      source: { whyOffline: () => whyNoneStarts(owner.edges), lostAtMs: () => lostAtMs(owner.edges) },
      ...calls.functions,
    })
  }

  async open(definition: Definition, open: OpenNode): Promise<AsyncDisposable> {
    this.close()
    const { audiences, delivery, listeners } = this.endpoints.forOpening()
    return this.#parent
      .child()
      .value(OWNER, this.#owner)
      .value(AUDIENCE, audiences)
      .value(DELIVERY, delivery)
      .value(LISTENERS, listeners)
      .service(CLOCK, [ENGINE_CLOCK, OWNER], (clock: EngineClock, { calls }: NodeOwner) => {
        const own = clock.scope((run) => calls.enter(run))
        this.#parts.push(() => own[Symbol.dispose]())
        return own
      })
      .service(EVENTS, [ENGINE_EVENTS, OWNER], (events, { calls }) => {
        const own = new NodeEvents(events, calls)
        this.#parts.push(() => own[Symbol.dispose]())
        return own
      })
      .service(STORE, [FILES, OWNER], (files, owner) => scopedStore(files.storeOf(this.lineage, owner), owner))
      .service(PROCESSES, [ENGINE_PROCESSES, OWNER], (all, owner) => {
        const own = all.of(owner)
        this.#parts.push(() => own.close())
        return own
      })
      .service(SECRETS, [HIDDEN, OWNER], (hidden, owner) => {
        const secretOf = (name: string): string | undefined => owner.settings.secrets?.secretOf(name)
        const secrets = new NodeSecrets({ owner: () => owner.id, secretOf, hidden })
        this.#parts.push(() => secrets.close())
        return secrets
      })
      .service(SOCKETS, [SOCKET_COUNTS, CLOCK, OWNER], (counts, clock, { calls }) => {
        const sockets = new NodeSockets({ clock, counts, enter: (run) => calls.enter(run) })
        this.#parts.push(() => sockets.close())
        return sockets
      })
      .openNode(definition, open)
  }

  enter(id: string): void {
    this.#lineages.enter(this.lineage, this, id)
  }

  leave(): void {
    this.#lineages.leave(this.lineage, this)
  }

  end(): void {
    this.close()
    this.#lineages.end(this.lineage, this)
  }

  close(): void {
    for (const end of this.#parts.splice(0)) end()
  }
}
