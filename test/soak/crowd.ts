// The viewers of a soak and the witnesses of its pipelines: joins them where there is room, and says what is wrong with
// any of them.
import type { ClientStatus } from '@millrace/engine/api'
import type { ConfigModel, NodeModel, PipelineModel } from './config-model.js'
import { optionOf, outputsOf, textOf } from './config-model.js'
import type { Dice } from './dice.js'
import { isWitness } from './edits/edit.js'
import { EVERY_PACKET, SELECTED_PACKETS } from './packet-sieve.js'
import { Viewer } from './viewer.js'
import { Witness } from './witness.js'

/** An output with a lower limit than this is left alone by who joins. */
const ROOM = 100

export class Crowd implements AsyncDisposable {
  readonly viewers = new Set<Viewer>()
  readonly #witnesses = new Map<string, Witness>()
  /** Continuity errors that were told. */
  readonly #witnessErrors = new Map<string, number>()
  readonly #size: number
  readonly #dice: Dice

  constructor(size: number, dice: Dice) {
    this.#size = size
    this.#dice = dice
  }

  get witnesses(): readonly Witness[] {
    return [...this.#witnesses.values()]
  }

  /** Brings it to its size again; resolves when all who have joined have got a packet. */
  async fill(model: ConfigModel): Promise<void> {
    for (const pipeline of model.pipelines) await this.#placeWitness(pipeline, model)
    const outputs = outputsOf(model).filter(({ node }) => !isWitness(node) && hasRoom(node))
    const joined: Viewer[] = []
    while (this.viewers.size < this.#size && outputs.length > 0) {
      const of = (id: string): number => [...this.viewers].filter(({ node }) => node === id).length
      const emptiest = Math.min(...outputs.map(({ id }) => of(id)))
      const { id, node, of: pipeline } = this.#dice.pick(outputs.filter((each) => of(each.id) === emptiest))
      const witness = this.#witnesses.get(pipeline.name)
      if (witness === undefined) throw new Error(`${pipeline.name} has no witness`)
      const credentials = Buffer.from(`anna:${model.password}`).toString('base64')
      const headers = [`Authorization: Basic ${credentials}`]
      const viewer = new Viewer(urlOf(node, model), id, witness, witness.sieve, headers)
      this.viewers.add(viewer)
      joined.push(viewer)
    }
    await Promise.all(joined.map(arrived))
  }

  /** Notes the sessions of those who have none yet, and returns what is wrong with those of the others. */
  checkSessions(clients: readonly ClientStatus[]): string[] {
    return [...this.viewers].flatMap((viewer) => checkSession(viewer, clients))
  }

  /** What is wrong with what they have got. */
  checkStreams(): string[] {
    const faults: string[] = []
    for (const viewer of this.viewers) {
      const { ended, error, status } = viewer.report()
      const fault = viewer.fault()
      if (fault !== undefined) faults.push(`${viewer.node} (${viewer.url}): ${fault}`)
      if (ended !== 'open') faults.push(`${viewer.node} (${viewer.url}): ${ended} ${error ?? ''}, status ${status}`)
      if (ended !== 'open') this.viewers.delete(viewer)
    }
    for (const { pipeline, reader } of this.#witnesses.values()) {
      const { ended, ts } = reader.report()
      if (ended !== 'open') faults.push(`the witness of ${pipeline}: ${ended}`)
      const errors = ts?.continuityErrors ?? 0
      if (errors > (this.#witnessErrors.get(pipeline) ?? 0)) {
        this.#witnessErrors.set(pipeline, errors)
        faults.push(`the witness of ${pipeline}: continuity errors ${JSON.stringify(ts?.continuityErrorsByPid)}`)
      }
    }
    return faults
  }

  /** Takes those out who watch one of these; they are waited for by who takes them. */
  leave(nodes: ReadonlySet<string>): Viewer[] {
    const leaving = [...this.viewers].filter(({ node }) => nodes.has(node))
    for (const viewer of leaving) this.viewers.delete(viewer)
    return leaving
  }

  /** Takes the witnesses of pipelines out that are not there any more. */
  leaveWitnesses(model: ConfigModel): Witness[] {
    const names = new Set(model.pipelines.map(({ name }) => name))
    const leaving = [...this.#witnesses.values()].filter(({ pipeline }) => !names.has(pipeline))
    for (const { pipeline } of leaving) this.#witnesses.delete(pipeline)
    return leaving
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.viewers, ...this.#witnesses.values()]
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()))
  }

  async #placeWitness(pipeline: PipelineModel, model: ConfigModel): Promise<void> {
    if (this.#witnesses.has(pipeline.name)) return
    const node = pipeline.outputs.find(isWitness)
    if (node === undefined) throw new Error(`${pipeline.name} has no witness`)
    const sieve = pipeline.isExact ? EVERY_PACKET : SELECTED_PACKETS
    const witness = new Witness(urlOf(node, model), pipeline.name, sieve)
    this.#witnesses.set(pipeline.name, witness)
    await arrived(witness)
  }
}

/** Two viewers of two listeners may have the same port at their end: the session tells them apart, at first the output. */
function checkSession(viewer: Viewer, clients: readonly ClientStatus[]): string[] {
  const { client, node, session } = viewer
  const own = clients.filter((each) => each.client === client)
  const found = own.find(({ id, node: is }) => (session === undefined ? is === node : id === session))
  if (found === undefined) return [`${node}: ${client}, session ${session}, is not among the clients: ${describe(own)}`]
  viewer.session = found.id
  return found.node === node ? [] : [`${viewer.url}: expected at ${node}, is at ${found.node}`]
}

function describe(sessions: readonly ClientStatus[]): string {
  return sessions.map(({ id, client, node }) => `${id} of ${client} at ${node}`).join(', ')
}

async function arrived({ reader }: Viewer | Witness): Promise<void> {
  const { status } = await reader.until((report) => report.bodyBytes > 0 || report.status >= 300)
  if (status !== 200) throw new Error(`a viewer was answered ${status}`)
}

function hasRoom({ options }: NodeModel): boolean {
  return ['clients.max', 'clients.perAddress'].every((path) => {
    const limit = Number(optionOf(options, path) ?? 0)
    return limit === 0 || limit > ROOM
  })
}

export function urlOf({ options }: NodeModel, { listeners }: ConfigModel): string {
  const address = textOf(listeners[textOf(options, 'listener')], 'address').replace('0.0.0.0', '127.0.0.1')
  return `http://${address}${textOf(options, 'path')}`
}
