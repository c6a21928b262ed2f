// However access units are packed, a viewer starts where a decoder can: judged by the pictures that ffmpeg decodes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { buildTs, duplicatePackets } from '@millrace/engine/testing'
import type { VideoPacking } from '@millrace/engine/testing'
import { checkTs } from '../oracle/check-ts.js'
import { concat } from './bytes.js'
import { bytesOf, frame } from './frame.js'
import { joinsOf } from './joins.js'
import { combine, listSources, NO_KEY_FRAME } from './packaging.js'
import type { Combination, Source } from './packaging.js'

/** A few in each run; more with this variable. */
const COUNT = Number(process.env['PACKAGING_COMBINATIONS'] ?? 24)
const PARALLEL = 2

const sources = listSources()

test(`${COUNT} ways to pack access units: each plays from its first picture, or the framer says why not`, async (context) => {
  const expected = new Map<string, readonly string[]>()
  for (const source of sources)
    expected.set(source.name, await decode(concat(source.pictures.map(({ bytes }) => bytes)), formatOf(source)))
  const seeds = Array.from({ length: COUNT }, (_, index) => index)
  let played = 0
  const failures: string[] = []
  const work = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const combination = combine(seed, sources)
      const source = sources.find(({ name }) => name === combination.source)!
      try {
        if (await plays(combination, source, expected.get(source.name)!)) played++
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  context.diagnostic(`${played} played`)
  assert.deepEqual(failures, [])
  assert.ok(played > COUNT / 2)
})

test('packets that are sent twice change no random access point', () => {
  const packings: readonly VideoPacking[] = [
    {},
    { pictures: 3 },
    { pesBytes: 700 },
    { setsApart: true, setsOnce: true },
  ]
  for (const packing of packings) {
    const { bytes } = buildTs({ durationS: 2, video: { gopFrames: 10, packing, randomAccessIndicator: false } })
    const twice = duplicatePackets(bytes, { pid: 0x100, every: 3 }).bytes
    const [once, again] = [bytes, twice].map((stream) =>
      frame(stream, { piece: 1000 })
        .chunks.filter(({ randomAccess }) => randomAccess)
        .map(({ head }) => head?.elementary),
    )
    assert.equal(once?.length, 5)
    assert.deepEqual(again, once)
  }
})

async function plays(combination: Combination, source: Source, all: readonly string[]): Promise<boolean> {
  const { name, bytes, piece, flushEvery, join } = combination
  const { chunks, obstacle } = frame(bytes, { piece, flushEvery })
  assert.equal(Buffer.compare(bytesOf(chunks), bytes), 0, name)
  const joins = joinsOf(chunks)
  const reason = joins.length === 0 && obstacle === '' ? NO_KEY_FRAME : obstacle
  assert.equal(reason, combination.obstacle, name)
  if (joins.length === 0) return false
  const keys = source.pictures.flatMap(({ key }, index) => (key ? [index] : []))
  // Key pictures before the first tables do not count: 700 ms at most.
  assert.ok(
    joins.length <= keys.length && joins.length >= keys.length - 2,
    `${name}: ${joins.length} of ${keys.length}`,
  )
  // The last GOP may be too short for a decoder.
  const index = Math.floor(join * Math.max(1, joins.length - 1))
  const key = source.pictures[keys[keys.length - joins.length + index]!]!
  const shown = source.pictures.filter(({ pts90k }) => pts90k >= key.pts90k).length
  const report = checkTs(joins[index]!)
  assert.equal(report.continuityErrors, 0, name)
  const frames = await decode(joins[index]!, 'mpegts')
  assertSuffix(frames, all, shown, source, name)
  return true
}

/** With intra refresh, ffmpeg shows nothing until the picture is whole. The last picture may lack its end. */
function assertSuffix(
  frames: readonly string[],
  all: readonly string[],
  shown: number,
  source: Source,
  name: string,
): void {
  const refresh = source.video.keyPicture === 'refresh' && shown < all.length ? 12 : 0
  assert.ok(
    frames.length <= shown && frames.length >= shown - refresh - 1,
    `${name}: ${frames.length} frames of ${shown}`,
  )
  const from = all.length - shown + (frames.length < shown && refresh === 0 ? 0 : shown - frames.length)
  const found = frames.map((hash) => all.indexOf(hash))
  const places = found.map((place, index) => (all[from + index] === frames[index] ? from + index : place))
  assert.deepEqual(
    places,
    [...frames.keys()].map((index) => from + index),
    name,
  )
}

function formatOf({ video }: Source): string {
  return video.codec === 'h265' ? 'hevc' : video.codec === 'mpeg2' ? 'mpegvideo' : 'h264'
}

/** A hash of each picture that ffmpeg shows. */
async function decode(bytes: Uint8Array, format: string): Promise<readonly string[]> {
  const quiet = ['-hide_banner', '-nostats', '-loglevel', 'error', '-threads', '1']
  const output = ['-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', '-']
  const child = spawn('ffmpeg', [...quiet, '-f', format, '-i', 'pipe:0', ...output])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  child.stderr.resume()
  child.stdin.on('error', () => undefined).end(bytes)
  await new Promise((resolve) => child.once('close', resolve))
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => line.split(',').at(-1)!.trim())
}
