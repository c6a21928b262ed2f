// The viewers of a soak and the reference viewer of each pipeline: connects them where there is room, and reports what
// is wrong with any of them.
import type { ClientStatus } from '@millrace/engine/api'
import type { ConfigModel, NodeModel, Place } from './config-model.js'
import { optionOf, outputsOf, placesOf, textOf } from './config-model.js'
import type { SeededRandom } from './seeded-random.js'
import { isReference } from './edits/edit.js'
import { until } from '../e2e/kit/until.js'
import { EXCLUDED_WHEN_EXACT, EXCLUDED_WHEN_SELECTED } from './packet-splitter.js'
import { Viewer } from './viewer.js'
import { ReferenceViewer } from './reference-viewer.js'

/** Viewers do not join an output whose limit is this low or lower. */
const MIN_LIMIT = 100

export class SoakViewers implements AsyncDisposable {
  readonly connected = new Set<Viewer>()
  readonly #references = new Map<string, ReferenceViewer>()
  /** Continuity errors that have been reported. */
  readonly #referenceErrors = new WeakMap<ReferenceViewer, number>()
  readonly #size: number
  readonly #random: SeededRandom

  constructor(size: number, random: SeededRandom) {
    this.#size = size
    this.#random = random
  }

  get references(): readonly ReferenceViewer[] {
    return [...this.#references.values()]
  }

  /** The reference viewer of a channel, which is a pipeline or the copy of one. */
  referenceOf(channel: string): ReferenceViewer {
    const reference = this.#references.get(channel)
    if (reference === undefined) throw new Error(`${channel} has no reference viewer`)
    return reference
  }

  /** Resolves when each channel has a reference viewer that has received a packet. */
  async placeReferences(model: ConfigModel): Promise<void> {
    const wanted = placesOf(model).filter(({ node, channel }) => isReference(node) && !this.#references.has(channel))
    await Promise.all(wanted.map((place) => this.#placeReference(place, model)))
  }

  /** Fills up to the wanted size; resolves when every viewer that joined has received a packet. */
  async fill(model: ConfigModel): Promise<void> {
    await this.placeReferences(model)
    const outputs = placesOf(model).filter(({ node }) => !isReference(node) && hasRoom(node))
    const joined: Viewer[] = []
    while (this.connected.size < this.#size && outputs.length > 0) {
      const of = ({ output, key }: Place): number =>
        [...this.connected].filter((each) => each.output === output && each.key === key).length
      const emptiest = Math.min(...outputs.map(of))
      const place = this.#random.pick(outputs.filter((each) => of(each) === emptiest))
      const credentials = Buffer.from(`anna:${model.password}`).toString('base64')
      const headers = [`Authorization: Basic ${credentials}`]
      const viewer = new Viewer(urlOf(place, model), place, this.referenceOf(place.channel), headers)
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
    for (const reference of this.#references.values()) {
      const { ended, ts } = reference.reader.report()
      const { channel } = reference
      if (ended !== 'open') faults.push(`the reference viewer of ${channel}: ${ended}`)
      const errors = ts?.continuityErrors ?? 0
      if (errors > (this.#referenceErrors.get(reference) ?? 0)) {
        this.#referenceErrors.set(reference, errors)
        faults.push(
          `the reference viewer of ${channel}: continuity errors ${JSON.stringify(ts?.continuityErrorsByPid)}`,
        )
      }
    }
    return faults
  }

  /**
   * The plan announces a gap behind these nodes, or the soak has interrupted these pipelines: a `gop` passes nothing
   * until the next key frame.
   */
  allowGaps(nodes: ReadonlySet<string>, model: ConfigModel): void {
    const outputs = new Set(outputsOf(model).map(({ id }) => id))
    const behind = new Set([...nodes].filter((id) => !outputs.has(id)).map((id) => id.split('/')[0] ?? ''))
    for (const viewer of this.connected) if (behind.has(viewer.output.split('/')[0] ?? '')) viewer.allowGap()
  }

  /** Removes the viewers and reference viewers whose output or stream `next` does not have, and returns them. */
  leave(gone: ReadonlySet<string>, next: ConfigModel): (Viewer | ReferenceViewer)[] {
    const stay = new Set(placesOf(next).map(({ channel }) => channel))
    const viewers = [...this.connected].filter(({ output, node }) => {
      return gone.has(output) || !stay.has(node.split('/')[0] ?? '')
    })
    const references = this.references.filter(({ channel }) => !stay.has(channel))
    for (const viewer of viewers) this.connected.delete(viewer)
    for (const { channel } of references) this.#references.delete(channel)
    return [...viewers, ...references]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.connected, ...this.#references.values()]
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()))
  }

  /** A stream that has just been published again may be refused until the one before has ended. */
  async #placeReference(place: Place, model: ConfigModel): Promise<void> {
    const excluded = place.of.isExact ? EXCLUDED_WHEN_EXACT : EXCLUDED_WHEN_SELECTED
    const connected = async (): Promise<ReferenceViewer | undefined> => {
      const reference = new ReferenceViewer(urlOf(place, model), place.channel, excluded)
      const { status } = await reference.reader.until((report) => report.bodyBytes > 0 || report.status >= 300)
      if (status === 200) return reference
      await reference[Symbol.asyncDispose]()
      return undefined
    }
    const reference = await until(connected, `the reference viewer of ${place.channel} receives the stream`)
    this.#references.set(place.channel, reference)
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

async function arrived({ reader }: Viewer): Promise<void> {
  const { status } = await reader.until((report) => report.bodyBytes > 0 || report.status >= 300)
  if (status !== 200) throw new Error(`a viewer received status ${status}`)
}

function hasRoom({ options }: NodeModel): boolean {
  return ['clients.max', 'clients.perAddress'].every((path) => {
    const limit = Number(optionOf(options, path) ?? 0)
    return limit === 0 || limit > MIN_LIMIT
  })
}

export function urlOf({ node, key = '' }: Pick<Place, 'node' | 'key'>, { listeners }: ConfigModel): string {
  const { options } = node
  const address = textOf(listeners[textOf(options, 'listener')], 'address').replace('0.0.0.0', '127.0.0.1')
  return `http://${address}${textOf(options, 'path').replace('${stream}', key)}`
}
