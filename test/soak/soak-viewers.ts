// The viewers of a soak and the reference viewer of each pipeline: connects them where there is room, and reports what
// is wrong with any of them.
import type { ClientStatus } from '@millrace/engine/api'
import type { ConfigModel, NodeModel, PipelineModel } from './config-model.js'
import { optionOf, outputsOf, textOf } from './config-model.js'
import type { SeededRandom } from './seeded-random.js'
import { isReference } from './edits/edit.js'
import { EXCLUDED_WHEN_EXACT, EXCLUDED_WHEN_SELECTED } from './packet-splitter.js'
import { Viewer } from './viewer.js'
import { ReferenceViewer } from './reference-viewer.js'

/** Viewers do not join an output whose limit is this low or lower. */
const MIN_LIMIT = 100

export class SoakViewers implements AsyncDisposable {
  readonly connected = new Set<Viewer>()
  readonly #references = new Map<string, ReferenceViewer>()
  /** Continuity errors that have been reported. */
  readonly #referenceErrors = new Map<string, number>()
  readonly #size: number
  readonly #random: SeededRandom

  constructor(size: number, random: SeededRandom) {
    this.#size = size
    this.#random = random
  }

  get references(): readonly ReferenceViewer[] {
    return [...this.#references.values()]
  }

  /** Fills up to the wanted size; resolves when every viewer that joined has received a packet. */
  async fill(model: ConfigModel): Promise<void> {
    for (const pipeline of model.pipelines) await this.#placeReference(pipeline, model)
    const outputs = outputsOf(model).filter(({ node }) => !isReference(node) && hasRoom(node))
    const joined: Viewer[] = []
    while (this.connected.size < this.#size && outputs.length > 0) {
      const of = (id: string): number => [...this.connected].filter(({ node }) => node === id).length
      const emptiest = Math.min(...outputs.map(({ id }) => of(id)))
      const { id, node, of: pipeline } = this.#random.pick(outputs.filter((each) => of(each.id) === emptiest))
      const reference = this.#references.get(pipeline.name)
      if (reference === undefined) throw new Error(`${pipeline.name} has no reference viewer`)
      const credentials = Buffer.from(`anna:${model.password}`).toString('base64')
      const headers = [`Authorization: Basic ${credentials}`]
      const viewer = new Viewer(urlOf(node, model), id, reference, reference.excluded, headers)
      this.connected.add(viewer)
      joined.push(viewer)
    }
    await Promise.all(joined.map(arrived))
  }

  /** Records the sessions of new viewers, and returns what is wrong with those of the others. */
  checkSessions(clients: readonly ClientStatus[]): string[] {
    return [...this.connected].flatMap((viewer) => checkSession(viewer, clients))
  }

  /** What is wrong with the streams they have received. */
  checkStreams(): string[] {
    const faults: string[] = []
    for (const viewer of this.connected) {
      const { ended, error, status } = viewer.report()
      const fault = viewer.fault()
      if (fault !== undefined) faults.push(`${viewer.node} (${viewer.url}): ${fault}`)
      if (ended !== 'open') faults.push(`${viewer.node} (${viewer.url}): ${ended} ${error ?? ''}, status ${status}`)
      if (ended !== 'open') this.connected.delete(viewer)
    }
    for (const { pipeline, reader } of this.#references.values()) {
      const { ended, ts } = reader.report()
      if (ended !== 'open') faults.push(`the reference viewer of ${pipeline}: ${ended}`)
      const errors = ts?.continuityErrors ?? 0
      if (errors > (this.#referenceErrors.get(pipeline) ?? 0)) {
        this.#referenceErrors.set(pipeline, errors)
        faults.push(
          `the reference viewer of ${pipeline}: continuity errors ${JSON.stringify(ts?.continuityErrorsByPid)}`,
        )
      }
    }
    return faults
  }

  /** Removes the viewers of these outputs and returns them; the caller waits for them to end. */
  leave(nodes: ReadonlySet<string>): Viewer[] {
    const leaving = [...this.connected].filter(({ node }) => nodes.has(node))
    for (const viewer of leaving) this.connected.delete(viewer)
    return leaving
  }

  /** Removes the reference viewers of pipelines that no longer exist. */
  leaveReferences(model: ConfigModel): ReferenceViewer[] {
    const names = new Set(model.pipelines.map(({ name }) => name))
    const leaving = [...this.#references.values()].filter(({ pipeline }) => !names.has(pipeline))
    for (const { pipeline } of leaving) this.#references.delete(pipeline)
    return leaving
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.connected, ...this.#references.values()]
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()))
  }

  async #placeReference(pipeline: PipelineModel, model: ConfigModel): Promise<void> {
    if (this.#references.has(pipeline.name)) return
    const node = pipeline.outputs.find(isReference)
    if (node === undefined) throw new Error(`${pipeline.name} has no reference viewer`)
    const excluded = pipeline.isExact ? EXCLUDED_WHEN_EXACT : EXCLUDED_WHEN_SELECTED
    const reference = new ReferenceViewer(urlOf(node, model), pipeline.name, excluded)
    this.#references.set(pipeline.name, reference)
    await arrived(reference)
  }
}

/**
 * Two viewers of two listeners may have the same local port: the session id tells them apart, and before it is known
 * the output does.
 */
function checkSession(viewer: Viewer, clients: readonly ClientStatus[]): string[] {
  const { client, node, session } = viewer
  const own = clients.filter((each) => each.client === client)
  const found = own.find(({ id, node: is }) => (session === undefined ? is === node : id === session))
  if (found === undefined)
    return [`${node}: ${client}, session ${session}, is not among the clients: ${describeSessions(own)}`]
  viewer.session = found.id
  return found.node === node ? [] : [`${viewer.url}: expected at ${node}, is at ${found.node}`]
}

function describeSessions(sessions: readonly ClientStatus[]): string {
  return sessions.map(({ id, client, node }) => `${id} of ${client} at ${node}`).join(', ')
}

async function arrived({ reader }: Viewer | ReferenceViewer): Promise<void> {
  const { status } = await reader.until((report) => report.bodyBytes > 0 || report.status >= 300)
  if (status !== 200) throw new Error(`a viewer received status ${status}`)
}

function hasRoom({ options }: NodeModel): boolean {
  return ['clients.max', 'clients.perAddress'].every((path) => {
    const limit = Number(optionOf(options, path) ?? 0)
    return limit === 0 || limit > MIN_LIMIT
  })
}

export function urlOf({ options }: NodeModel, { listeners }: ConfigModel): string {
  const address = textOf(listeners[textOf(options, 'listener')], 'address').replace('0.0.0.0', '127.0.0.1')
  return `http://${address}${textOf(options, 'path')}`
}
