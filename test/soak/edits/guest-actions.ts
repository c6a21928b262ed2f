// What publishers, encoders and programs do by themselves, also while an edit is applied.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import process from 'node:process'
import { createSocket } from 'node:dgram'
import { setTimeout as pause } from 'node:timers/promises'
import { HttpReader } from '../../oracle/http-reader.js'
import { until } from '../../e2e/kit/until.js'
import type { ConfigModel, NodeModel, PipelineModel } from '../config-model.js'
import { copyName, placesOf, takenKeys, textOf } from '../config-model.js'
import type { StreamSender } from '../guests/stream-sender.js'
import { tagOf } from '../guests/soak-guests.js'
import type { SeededRandom } from '../seeded-random.js'
import type { SoakEnvironment } from '../soak-environment.js'
import type { SoakViewers } from '../soak-viewers.js'
import { urlOf } from '../soak-viewers.js'
import { isPattern, isReference } from './edit.js'

const ENOUGH_BYTES = 20_000
const LONGEST_ABSENCE_MS = 600
/** Longer than the longest `linger` and a drain. */
const END_MS = 90_000
const MAX_PAT_SEARCH = 1_200_000

interface ActionContext {
  readonly environment: SoakEnvironment
  readonly viewers: SoakViewers
  readonly random: SeededRandom
  readonly number: number
  /** The configuration that runs. */
  model(): ConfigModel
}

export interface GuestAction {
  readonly kind: string
  /** An edit may be applied between its begin and its end. */
  readonly isDuringEdits: boolean
  /** Begins; resolves with what ends it, or undefined if there is nothing to act on. */
  begin(context: ActionContext): Promise<(() => Promise<void>) | undefined>
}

export const GUEST_ACTIONS: readonly GuestAction[] = [
  {
    kind: 'a publisher leaves and returns',
    isDuringEdits: true,
    begin: (context) => leaveAndReturn(context, context.environment.guests.publishers),
  },
  {
    kind: 'a writer of a unix socket leaves and returns',
    isDuringEdits: true,
    begin: (context) => leaveAndReturn(context, context.environment.guests.writers),
  },
  { kind: 'a second publisher of a key', isDuringEdits: false, begin: secondPublisher },
  { kind: 'two publishers return at once', isDuringEdits: false, begin: twoReturn },
  { kind: 'a publisher of another key comes and leaves', isDuringEdits: true, begin: comeAndLeave },
  { kind: 'publishers of junk', isDuringEdits: true, begin: publishJunk },
  { kind: 'the program of an input is killed', isDuringEdits: true, begin: killInput },
  { kind: 'the program of an output is killed', isDuringEdits: true, begin: killOutput },
  { kind: 'a stranger sends to a UDP input', isDuringEdits: true, begin: strangerSends },
]

async function leaveAndReturn(
  context: ActionContext,
  senders: ReadonlyMap<string, StreamSender>,
): Promise<(() => Promise<void>) | undefined> {
  const { random, environment } = context
  const sender = random.tryPick([...senders.values()].filter(({ isConnected }) => isConnected))
  if (sender === undefined) return undefined
  const channel = sender.name.includes('@') ? sender.name : (pipelineOfPath(context.model(), sender.name) ?? '')
  environment.guests.interrupted.add(channel.split('@')[0] ?? '')
  sender.drop()
  return async () => {
    await pause(random.below(LONGEST_ABSENCE_MS))
    sender.connect()
    if (!sender.isOver) await flows(context, channel)
  }
}

/** Refused, or takes over: as `takeover` says. */
async function secondPublisher(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const found = somePublished(context)
  if (found === undefined) return undefined
  const { pipeline, key, first, publishers, guests } = found
  const isReplaced = textOf(pipeline.inputs[0]?.options, 'takeover') === 'replace'
  guests.interrupted.add(pipeline.name)
  const second = guests.createPublisher(pipeline, key)
  if (!isReplaced) {
    second.leaves()
    await second.refused('another one publishes under its key')
    await second[Symbol.asyncDispose]()
  } else {
    first.leaves()
    await first.refused('another one takes over')
    await first[Symbol.asyncDispose]()
    publishers.set(first.name, second)
  }
  return () => flows(context, first.name)
}

/** One of them is let in. */
async function twoReturn(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const found = somePublished(context)
  if (found === undefined) return undefined
  const { pipeline, key, first, publishers, guests } = found
  guests.interrupted.add(pipeline.name)
  first.drop()
  const both = [first, guests.createPublisher(pipeline, key)]
  for (const each of both) each.leaves()
  first.connect()
  return async () => {
    await until(() => both.some(({ isClosed }) => isClosed), 'one of two publishers is refused')
    const winner = both.find(({ isClosed }) => !isClosed)
    for (const each of both) if (each !== winner) await each[Symbol.asyncDispose]()
    publishers.delete(first.name)
    if (winner !== undefined) {
      winner.stays()
      publishers.set(first.name, winner)
    } else publishers.set(first.name, guests.createPublisher(pipeline, key))
    await flows(context, first.name)
  }
}

/** Its viewer gets the stream, and a clean end when nobody has come back within `linger`. */
async function comeAndLeave(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const { environment, number } = context
  const { guests } = environment
  const model = context.model()
  const pipeline = model.pipelines.find((each) => isPattern(each) && each.isBase)
  if (pipeline === undefined) return undefined
  const options = pipeline.inputs[0]?.options
  const key = `cam-${number % 10 === 1 || number % 10 === 2 ? 9 : number % 10}`
  const isTaken = takenKeys({ ...pipeline, keys: [key] }).length > 0
  const most = Number(options?.['maxStreams'] ?? 100)
  // Streams that have just ended may still count.
  if (!isTaken || most < 10 || guests.publishers.has(copyName(pipeline.name, key))) return undefined
  const place = placesOf({ ...model, pipelines: [{ ...pipeline, keys: [key] }] }).find(({ node }) => isReference(node))
  if (place === undefined) return undefined
  const publisher = guests.createPublisher(pipeline, key)
  publisher.mayEnd = true
  const viewer = new HttpReader(urlOf(place, model))
  await viewer.until(({ bodyBytes, status }) => bodyBytes > ENOUGH_BYTES || status >= 300)
  return async () => {
    await publisher[Symbol.asyncDispose]()
    guests.awaitEnd(endsCleanly(viewer, place.channel))
  }
}

async function endsCleanly(viewer: HttpReader, channel: string): Promise<void> {
  const timer = new AbortController()
  const late = pause(END_MS, undefined, { signal: timer.signal }).catch(() => undefined)
  await Promise.race([viewer.done().catch(() => undefined), late])
  timer.abort()
  const { status, ended, bodyBytes, ts } = viewer.report()
  await viewer[Symbol.asyncDispose]()
  const errors = ts?.continuityErrors ?? 0
  if (status !== 200 || ended !== 'end' || bodyBytes % 188 !== 0 || errors > 0) {
    throw new Error(`the viewer of ${channel}: status ${status}, ${ended} after ${bodyBytes} bytes, ${errors} errors`)
  }
}

/** No line, a long line, keys that no one may have, and a good key without a stream: all are disconnected. */
async function publishJunk(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const listener = context.model().listeners['pubs']
  const [, port = ''] = textOf(listener, 'address').split(':')
  const bodies = ['\0\0\0\n', 'x'.repeat(300), '../up\n', 'cam-0\n', `cam-9\n${'U'.repeat(MAX_PAT_SEARCH)}`]
  const sockets = bodies.map((body, index) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(body)
    if (index === 3) socket.end()
    return socket
  })
  return async () => {
    await until(
      () => sockets.every(({ closed }) => closed),
      () => `publishers of junk are disconnected: ${describeOpen(sockets)}`,
    )
  }
}

function describeOpen(sockets: readonly Socket[]): string {
  return sockets.flatMap(({ closed }, index) => (closed ? [] : [String(index)])).join(', ')
}

async function killInput(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const { environment, random } = context
  const found = random.tryPick(inputsOf(context.model(), 'exec'))
  if (found === undefined) return undefined
  const status = await environment.engine.status()
  const node = status.pipelines.flatMap(({ nodes }) => nodes).find(({ id }) => id === found.id)
  const { pid } = (node?.details ?? {}) as { readonly pid?: number | null }
  if (typeof pid !== 'number') return undefined
  environment.guests.interrupted.add(found.of.name)
  kill(pid)
  return async () => {
    const isThere = context.model().pipelines.some(({ name }) => name === found.of.name)
    if (isThere) await flows(context, found.of.name)
  }
}

async function killOutput(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const { environment, random } = context
  const { sink } = environment.guests
  const nodes = context.model().pipelines.flatMap(({ outputs }) => outputs)
  const tag = random.tryPick(nodes.filter(({ type }) => type === 'exec').map(tagOf))
  const [pid] = tag === undefined ? [] : sink.pids(tag)
  if (tag === undefined || pid === undefined) return undefined
  sink.noteKilled(pid)
  kill(pid)
  return async () => {
    const isThere = (): boolean =>
      context
        .model()
        .pipelines.flatMap(({ outputs }) => outputs)
        .some((node) => node.type === 'exec' && tagOf(node) === tag)
    await until(() => !isThere() || sink.pids(tag).some((each) => each !== pid), `another program ${tag}`)
  }
}

/** Fewer datagrams than a takeover needs. */
async function strangerSends(context: ActionContext): Promise<(() => Promise<void>) | undefined> {
  const found = context.random.tryPick(inputsOf(context.model(), 'udp'))
  if (found === undefined) return undefined
  const [host = '', port = ''] = textOf(found.node.options, 'address').split(':')
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  socket.setMulticastInterface('127.0.0.1')
  const junk = Buffer.alloc(7 * 188, 0x47)
  for (let count = 0; count < 10; count++) {
    await new Promise((resolve) => socket.send(junk, Number(port), host, resolve))
  }
  return () => new Promise<void>((resolve) => socket.close(resolve))
}

function inputsOf(
  { pipelines }: ConfigModel,
  type: string,
): readonly { readonly id: string; readonly node: NodeModel; readonly of: PipelineModel }[] {
  return pipelines.flatMap((of) =>
    of.inputs.filter((node) => node.type === type).map((node) => ({ id: `${of.name}/${node.id}`, node, of })),
  )
}

function somePublished(context: ActionContext) {
  const { guests } = context.environment
  const { publishers } = guests
  const all = context
    .model()
    .pipelines.flatMap((pipeline) => (pipeline.keys ?? []).map((key) => ({ pipeline, key })))
    .flatMap(({ pipeline, key }) => {
      const first = publishers.get(copyName(pipeline.name, key))
      return first?.isConnected === true ? [{ pipeline, key, first, publishers, guests }] : []
    })
  return context.random.tryPick(all)
}

function pipelineOfPath({ pipelines }: ConfigModel, path: string): string | undefined {
  return pipelines.find(({ inputs }) => inputs[0]?.options['path'] === path)?.name
}

/** Resolves when the reference viewer of the channel has received more, or when the channel is gone. */
async function flows({ viewers }: ActionContext, channel: string): Promise<void> {
  const reference = viewers.references.find((each) => each.channel === channel)
  if (reference === undefined) return
  const before = reference.report().bodyBytes
  await until(() => {
    const { bodyBytes, ended } = reference.report()
    return bodyBytes > before + ENOUGH_BYTES || ended !== 'open'
  }, `the stream of ${channel} goes on`)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
