// Output `hls`: HTTP Live Streaming with transport stream segments (RFC 8216), from memory, of one rendition or several.
import {
  AUDIENCE,
  AUTH,
  CLOCK,
  defineOutput,
  DELIVERY,
  EVENTS,
  LISTENERS,
  PIPELINE,
  STORE,
} from '@millrace/engine/plugin'
import type { Clock, NodeContext, Store } from '@millrace/engine/plugin'
import { LateFolder } from './history/late-folder.js'
import { Restorations } from './history/restorations.js'
import { restore, type Restored } from './history/restored.js'
import { HlsOutput } from './hls-output.js'
import { accessWarnings } from './access-warnings.js'
import { lengthWarnings } from './length-warnings.js'
import { namingWarnings } from './naming-warnings.js'
import { slicingWarnings } from './slicing-warnings.js'
import { memoryBound, usualMemory } from './memory-bound.js'
import { folderOf, options, USUAL_WAIT_MS, type HlsOptions } from './options.js'
import { KeysFile } from './playlist/keys-file.js'
import { readGrantKey } from './viewers/grant-key.js'
import { parseSavedNumbers, StartNumbers, type SavedNumbers } from './playlist/start-numbers.js'
import { lookOf } from './serve/page/page-options.js'
import { PlayerPage } from './serve/page/player-page.js'
import { hlsMetrics, readMetrics } from './hls-metrics.js'

const SEGMENTS_FOLDER = 'segments'
const ARCHIVE_FOLDER = 'archive'
const NUMBERS_FILE = 'numbers.json'

export default defineOutput({
  type: 'hls',
  summary: 'HTTP Live Streaming (HLS) with transport stream segments, to any number of viewers.',
  consumes: ['ts', 'gop'],
  inlets: 'many',
  options,
  inject: {
    ...{ audiences: AUDIENCE, clock: CLOCK, delivery: DELIVERY, events: EVENTS, listeners: LISTENERS },
    ...{ pipeline: PIPELINE, store: STORE },
    // All nodes of an engine have the same one.
    engine: AUTH,
  },
  exclusive: (given) => {
    const { listener, offline, cors } = given
    const [origin, ...more] = [cors ?? []].flat()
    const answer = {
      waitForMs: offline.waitFor ?? USUAL_WAIT_MS,
      status: offline.status,
      cors: more.length === 0 ? origin : undefined,
    }
    // The path lies in the folder. In a pattern pipeline, requests for either wait alike.
    return [{ kind: 'http', listener, path: folderOf(given), prefix: true, offline: answer }]
  },
  warnings: (given, { hasSourceTimes }) => [
    ...[...accessWarnings(given), ...lengthWarnings(given), ...namingWarnings(given)],
    ...slicingWarnings(given, hasSourceTimes),
  ],
  memoryOptions: () => ['memory', 'dvr'],
  memoryBound: (given, _maxClients, inlets) => memoryBound(given, inlets),
  usualMemory,
  metrics: hlsMetrics,
  examples: [
    { title: 'One channel', yaml: 'hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8 }' },
    {
      title: 'A ladder of three renditions, made by one transcoder',
      yaml: 'hls: { type: hls, from: [enc.240p, enc.720p, enc.native], listener: web, path: /one/index.m3u8 }',
    },
    {
      title: 'Longer segments, and players on the pages of one site',
      yaml: 'hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8, segment: 4s, targetDuration: 6s, cors: "https://tv.example" }',
    },
    {
      title: 'Encrypted, with another key each minute',
      yaml: 'hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8, encryption: { keyRotation: 30 }, auth: viewers }',
    },
  ],
  async open(options$, context, { audiences, clock, delivery, engine, events, listeners, pipeline, store }, previous) {
    // A copy of a pattern pipeline, `one@key/hls`, keeps no files: keys are what publishers choose, without end.
    const keepsFiles = !context.id.includes('@')
    const saved = keepsFiles ? await readNumbers(store, context) : undefined
    const keys = await KeysFile.open(keepsFiles ? store : undefined, context.log)
    const folder = storeOf(options$.value.store, { store, context, keepsFiles })
    const where = options$.value.archive
    const archive = where && keepsFiles ? lateFolder(store, ARCHIVE_FOLDER, where.path) : undefined
    const isRestart = folder !== undefined && previous?.state === undefined
    const restored = isRestart
      ? await Restorations.of(engine, clock).take(context.id, { signal: context.signal, clock }, () =>
          readStore(folder, options$.value, { engine, clock, context, hasKeys: keys.saved !== undefined }),
        )
      : undefined
    const look = lookOf(options$.value.page)
    const page = look === undefined ? undefined : await PlayerPage.open(look, pipeline)
    const audience = audiences.open({ limits: options$.value.clients })
    const output = new HlsOutput({
      ...{ options$, context, audience, clock, events, listeners, previous, page },
      grantKey: await readGrantKey(keepsFiles ? store : undefined, context.log),
      numbers: new StartNumbers(clock.wallMs(clock.nowMs()) / 1000, context.id, saved),
      openMemory: (limitBytes) => delivery.memory(limitBytes),
      save: (numbers) => (keepsFiles ? saveNumbers(store, context, numbers) : Promise.resolve()),
      ...{ keys, store: folder, archive, restored },
    })
    readMetrics(context, output)
    return output
  },
})

/** Undefined: segments stay in memory. */
function storeOf(
  where: HlsOptions['store'],
  { store, context, keepsFiles }: { store: Store; context: NodeContext; keepsFiles: boolean },
): LateFolder | undefined {
  if (where === 'memory') return undefined
  if (keepsFiles) return lateFolder(store, SEGMENTS_FOLDER, where.path)
  context.log.warn({}, 'a copy of a pattern pipeline keeps its segments in memory')
  return undefined
}

/** Whether it can be written shows when it is used: a bad disk must not keep an output from starting. */
function lateFolder(store: Store, use: string, path: string | undefined): LateFolder {
  return new LateFolder(path ?? '', () => store.media(use, path))
}

/** What cannot be read is left out: the stream goes on without it. */
async function readStore(
  folder: LateFolder,
  { dvr, window, playlistType }: HlsOptions,
  { engine, clock, context, hasKeys }: { engine: object; clock: Clock; context: NodeContext; hasKeys: boolean },
): Promise<Restored | undefined> {
  const fromMs = playlistType === 'event' ? 0 : clock.wallMs(clock.nowMs()) - 2 * Math.max(dvr, window)
  const { slices: time, older: turns } = Restorations.of(engine, clock)
  try {
    return await restore(folder, { fromMs, newestMs: window, hasKeys, time, turns })
  } catch (error) {
    context.log.warn({ err: error }, 'the segments of the last run cannot be read')
    return undefined
  }
}

/** Without them, numbers begin with the time of day, which is nearly always enough. */
async function readNumbers(store: Store, context: NodeContext): Promise<SavedNumbers | undefined> {
  try {
    const bytes = await store.read(NUMBERS_FILE)
    if (bytes === undefined) return undefined
    const saved = parseSavedNumbers(bytes)
    if (saved === undefined)
      context.log.warn({}, 'the file with the sequence numbers is damaged: they begin with the time of day')
    return saved
  } catch (error) {
    context.log.warn({ err: error }, 'the sequence numbers of the last run cannot be read')
    return undefined
  }
}

/** Never rejects. */
async function saveNumbers(store: Store, context: NodeContext, numbers: SavedNumbers): Promise<void> {
  try {
    await store.write(NUMBERS_FILE, new TextEncoder().encode(`${JSON.stringify(numbers)}\n`))
  } catch (error) {
    context.log.warn({ err: error }, 'sequence numbers cannot be saved')
  }
}
