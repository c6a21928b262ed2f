// pipelines/transcode-ladder.yaml: one publisher, five renditions in one multivariant playlist, a picture; and an encoder
// that is killed under a viewer.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { Framer, isUnitStart, PACKET_SIZE, payloadOffset, readPts } from '@millrace/media/mpegts'
import { Child } from './kit/child.js'
import { httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const TOKEN = 'a-token-for-this-test'
const RENDITIONS = 5

test('five renditions cut at the same pictures, with a poster; a killed encoder costs no viewer', async () => {
  await using engine = await start()
  await engine.ready()
  const rtmp = (await engine.status()).listeners.find(({ name }) => name === 'rtmp')
  await using publisher = publish(`rtmp://${rtmp!.address}/hls/news?token=${TOKEN}`)
  const url = await until(() => engine.url('live@news/hls'), 'the copy of news')
  const variants = await until(async () => {
    const uris = urisOf((await httpRequest(url)).text).map((uri) => new URL(uri, url).href)
    return uris.length === RENDITIONS && uris
  }, 'one playlist with five renditions')
  const lists = await listsOf(variants, (list) => list.segments.length >= 2, 'two segments of each')
  const starts = await Promise.all(lists.map(({ segments }) => Promise.all(segments.slice(0, 2).map(startOf))))
  for (const each of starts) assert.deepEqual(each, starts[0], 'all renditions cut at the same pictures')

  const poster = await until(async () => {
    const { status, headers } = await httpRequest(new URL('poster.jpg', url).href)
    return status === 200 && headers
  }, 'a poster')
  assert.equal(poster['content-type'], 'image/jpeg')

  const { pid } = (await engine.node('live@news/enc')).details as { readonly pid: number }
  const last = Math.max(...lists.map(({ segments }) => numberOf(segments.at(-1)!)))
  process.kill(pid, 'SIGKILL')
  // The segment that is open now ends with the encoder.
  const isLater = (segment: string): boolean => numberOf(segment) > last + 1
  const after = await listsOf(
    variants,
    ({ segments }) => segments.filter(isLater).length >= 2,
    'each rendition goes on',
  )
  // What was cut short by the end of the encoder may be there in some renditions only.
  const numbers = after.map(({ segments }) => segments.filter(isLater).map(numberOf))
  const common = numbers[0]!.filter((number) => numbers.every((each) => each.includes(number)))
  assert.ok(common.length > 0)
  for (const number of common.slice(-2)) {
    const those = after.map(({ segments }) => segments.find((segment) => numberOf(segment) === number)!)
    const again = await Promise.all(those.map(startOf))
    for (const each of again) assert.equal(each, again[0], 'all renditions still cut at the same pictures')
  }
  await until(async () => (await engine.node('live@news/enc')).state === 'ready', 'the encoder is ready')
  await publisher[Symbol.asyncDispose]()
  await engine.stop()
})

interface List {
  readonly text: string
  readonly segments: readonly string[]
}

function listsOf(
  variants: readonly string[],
  isThere: (list: List) => boolean,
  what: string,
): Promise<readonly List[]> {
  return until(async () => {
    const lists = await Promise.all(
      variants.map(async (variant) => {
        const { text } = await httpRequest(variant)
        return { text, segments: urisOf(text).map((uri) => new URL(uri, variant).href) }
      }),
    )
    return lists.every(isThere) && lists
  }, what)
}

/** Without gaps. */
function urisOf(playlist: string): readonly string[] {
  const entries = playlist.split(/\n(?=[^#\n])/)
  const uris = entries.slice(1).map((entry) => entry.split('\n')[0] ?? '')
  return uris.filter((_, index) => !(entries[index] ?? '').split('\n').slice(1).includes('#EXT-X-GAP'))
}

function numberOf(segment: string): number {
  return Number(/-(\d+)\.ts$/.exec(segment)?.[1])
}

/** When the first picture of a segment is shown. */
async function startOf(segment: string): Promise<number> {
  const response = await fetch(segment)
  assert.equal(response.status, 200, segment)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const framer = new Framer()
  const [first] = [...framer.push(bytes, 0), ...framer.finish(0)].filter(({ randomAccess }) => randomAccess)
  assert.ok(first !== undefined, `${segment} has no key frame`)
  return firstPts(first.bytes)
}

function firstPts(bytes: Uint8Array): number {
  for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
    const pts = isUnitStart(bytes, at) ? readPts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE) : -1
    if (pts >= 0) return pts
  }
  return -1
}

function publish(url: string): Child {
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=256x144:rate=8', '-f', 'lavfi', '-i', 'sine=sample_rate=44100']
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '8']
  const args = ['-v', 'error', '-nostdin', '-re', ...source, ...video, '-c:a', 'aac', '-f', 'flv', url]
  return new Child('ffmpeg', args, { cwd: REPOSITORY_ROOT })
}

async function start(): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const yaml = await readFile(join(REPOSITORY_ROOT, 'pipelines/transcode-ladder.yaml'), 'utf8')
    const engine = 'engine: { api: { address: "127.0.0.1:0" }, stateDir: state }'
    await folder.write('transcode-ladder.yaml', `${yaml.replace('segment: 2s', 'segment: 1s')}\n${engine}\n`)
    const env = { RTMP_ADDRESS: '127.0.0.1:0', WATCH_ADDRESS: '127.0.0.1:0', PUBLISH_TOKEN: TOKEN }
    const child = runCommandLine(['run', 'transcode-ladder.yaml'], folder.path, env)
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}
