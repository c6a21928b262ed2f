// Byte exactness: http-ts sends the packets of its input and nothing else, except for the splice buffer at the start,
// whose position and length are known here from the plan of the stream. A loop changes only clocks and counters.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs, dropPackets, scramble, setTei, withStride } from '@millrace/engine/testing'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import type { Channel } from './kit/engine-yaml.js'
import { engineYaml } from './kit/engine-yaml.js'
import { maskClocks } from './kit/mask-clocks.js'
import { Recording } from './kit/recording.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const PMT_PID = 0x1000
const VIDEO_PID = 0x100

const built = buildTs({
  durationS: 6,
  video: { gopFrames: 20, bitrate: 2_000_000 },
  pmtPackets: 2,
  psi: { beforeKeyframes: false, phaseMs: 45, intervalMs: 70 },
})

interface Case {
  readonly name: string
  readonly through: NonNullable<Channel['through']>
  readonly output?: string
  readonly input: Uint8Array
  /** The expected output: the packets of the input. */
  readonly packets: Uint8Array
  /** Number of PAT and PMT packets. Default 3. */
  readonly psiPackets?: number
  /** Number of packets before the first ones of the input. Default PAT and PMT. */
  readonly splicePackets?: number
}

const damaged = setTei(scramble(dropPackets(built.bytes).bytes, { every: 70 }).bytes, { every: 90 }).bytes

const WHOLE: readonly Case[] = [
  { name: 'ts', through: 'ts', input: built.bytes, packets: built.bytes },
  { name: 'checked', through: 'ts-validate', input: built.bytes, packets: built.bytes },
  { name: 'gop', through: 'gop', input: built.bytes, packets: built.bytes },
  { name: 'both', through: 'both', input: built.bytes, packets: built.bytes },
  { name: 'stride-192', through: 'gop', input: withStride(built.bytes, 192), packets: built.bytes },
  { name: 'stride-204', through: 'ts', input: withStride(built.bytes, 204), packets: built.bytes },
  { name: 'damaged', through: 'ts', input: damaged, packets: damaged },
  { name: 'damaged-gop', through: 'gop', input: damaged, packets: damaged },
]

test('a viewer that waits for the source gets one splice buffer, then every packet from the first key frame on', async () => {
  const yaml = engineYaml(channelsOf(WHOLE, 'pace: none'))
  await using engine = await startEngine({ yaml })
  const viewers = new Map<string, Recording>()
  for (const { name } of WHOLE) viewers.set(name, new Recording(await engine.url(`${name}/out`)))
  await until(async () => (await clientsOf(engine)) === WHOLE.length, 'all viewers are waiting')
  for (const { name, input } of WHOLE) await engine.folder.write(`${name}.ts`, input)
  for (const each of WHOLE) {
    const viewer = viewers.get(each.name)
    assert.equal((await viewer?.reader.done())?.ended, 'end')
    assertSpliced(each, viewer?.body ?? Buffer.alloc(0), firstKeyFrame(each))
  }
  assert.deepEqual(await engine.child.exited, { code: 0, signal: null })
})

test('a viewer that joins later gets every packet from its key frame, or its chunk with `start: now`, to the end', async () => {
  const cases: Case[] = [
    { name: 'ts', through: 'ts', input: built.bytes, packets: built.bytes },
    { name: 'gop', through: 'gop', input: built.bytes, packets: built.bytes },
    { name: 'now', through: 'ts', output: 'start: now', input: built.bytes, packets: built.bytes },
    { name: 'now-gop', through: 'gop', output: 'start: now', input: built.bytes, packets: built.bytes },
  ]
  const files = Object.fromEntries(cases.map(({ name, input }) => [`${name}.ts`, input]))
  await using engine = await startEngine({ yaml: engineYaml(channelsOf(cases, 'pace: pcr')), files })
  const viewers = new Map<string, Recording>()
  const urls = await Promise.all(cases.map(({ name }) => engine.url(`${name}/out`)))
  await Promise.all(
    cases.map(async ({ name }, index) => {
      // The second GOP has begun: a busy machine has most of the stream's time for the rest.
      await until(
        async () => (await engine.node(`${name}/main`)).sentBytes > built.bytes.length / 5,
        'the stream flows',
      )
      viewers.set(name, new Recording(urls[index]!))
    }),
  )
  for (const each of cases) {
    const { name, packets } = each
    const viewer = viewers.get(name)
    const { ended, ts } = (await viewer?.reader.done()) ?? {}
    assert.equal(ended, 'end')
    const body = viewer?.body ?? Buffer.alloc(0)
    const start = packets.length - (body.length - 3 * 188)
    assertSpliced(each, body, start)
    assert.ok(start > 0, `${name} did not join later`)
    if (name.startsWith('now')) assert.equal(assertClean(name, ts).startsWithPat, true)
    else {
      const starts = built.keyframes.map((offset) => beforeTables(packets, offset))
      assert.ok(starts.includes(start), `${name} begins at ${start}, not at one of ${starts.join(' ')}`)
      assertJoin(name, assertClean(name, ts))
    }
  }
  assert.deepEqual(await engine.child.exited, { code: 0, signal: null })
})

test('a loop changes only clocks and counters', async () => {
  const clip = new Uint8Array(await readFile(join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')))
  const cases: Case[] = [
    { name: 'ts', through: 'ts', input: built.bytes, packets: built.bytes },
    { name: 'gop', through: 'gop', input: built.bytes, packets: built.bytes },
    // PAT and PMT are directly before its first key frame, so there is nothing that a viewer lacks.
    { name: 'clip', through: 'both', input: clip, packets: clip, psiPackets: 2, splicePackets: 0 },
  ]
  const yaml = engineYaml(channelsOf(cases, 'loop: true, pace: none'))
  await using engine = await startEngine({ yaml })
  const viewers = new Map<string, Recording>()
  for (const { name } of cases) viewers.set(name, new Recording(await engine.url(`${name}/out`)))
  await until(async () => (await clientsOf(engine)) === cases.length, 'all viewers are waiting')
  for (const { name, input } of cases) await engine.folder.write(`${name}.ts`, input)
  for (const each of cases) {
    const viewer = viewers.get(each.name)
    await viewer?.reader.until(({ bodyBytes }) => bodyBytes > 4.5 * each.packets.length)
    viewer?.reader.pause()
    assertClean(each.name, viewer?.report().ts)
    assertLooped(each, viewer?.body ?? Buffer.alloc(0))
  }
  for (const viewer of viewers.values()) await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

function channelsOf(cases: readonly Case[], more: string): Record<string, Channel> {
  return Object.fromEntries(
    cases.map(({ name, through, output = '' }) => {
      return [name, { input: `path: ${name}.ts, ${more}`, through, outputs: { out: output } }]
    }),
  )
}

async function clientsOf(engine: Awaited<ReturnType<typeof startEngine>>): Promise<number> {
  const nodes = (await engine.status()).pipelines.flatMap((pipeline) => pipeline.nodes)
  return nodes.reduce((sum, { clients = 0 }) => sum + clients, 0)
}

/** The body is the engine's PAT and PMT, then the packets of the input from `start` to the end. */
function assertSpliced(of: Case, body: Buffer, start: number): void {
  const { name, packets } = of
  const rest = body.subarray(assertSplice(of, body))
  const expected = packets.subarray(start)
  assert.equal(rest.length, expected.length, `${name}: bytes after the splice buffer`)
  const differs = firstDifference(rest, expected)
  assert.equal(differs, -1, `${name} differs from its input at byte ${start + differs}`)
}

/** Apart from the splice buffer, the body is the input over and over, except for clocks and counters. */
function assertLooped(of: Case, body: Buffer): void {
  const { name, packets } = of
  const spliceBytes = assertSplice(of, body)
  const whole = body.length - ((body.length - spliceBytes) % 188)
  const rest = maskClocks(body.subarray(spliceBytes, whole))
  const start = firstKeyFrame(of)
  const masked = maskClocks(packets)
  const passes = Array.from({ length: Math.ceil(body.length / packets.length) }, () => masked)
  const expected = Buffer.concat([masked.subarray(start), ...passes])
  const differs = firstDifference(rest, expected.subarray(0, rest.length))
  const pass = ((start + differs) / packets.length).toFixed(4)
  assert.equal(
    differs,
    -1,
    `${name} differs at pass ${pass}, packet ${Math.floor(differs / 188)} after the splice buffer`,
  )
}

/** Returns the length of the splice buffer. */
function assertSplice({ name, psiPackets = 3, splicePackets = psiPackets }: Case, body: Buffer): number {
  const pids = Array.from({ length: splicePackets }, (_, index) => pidAt(body, index * 188))
  assert.deepEqual(pids, [0, PMT_PID, PMT_PID].slice(0, splicePackets), `${name}: the splice buffer`)
  return splicePackets * 188
}

/** Where the stream can first be joined: its first key frame after PAT and PMT, or the PSI directly before it. */
function firstKeyFrame({ packets, psiPackets = 3 }: Case): number {
  let missing = psiPackets - 1
  for (let offset = 0; offset < packets.length; offset += 188) {
    const pid = pidAt(packets, offset)
    if (pid === PMT_PID) missing--
    if (missing > 0 || pid !== VIDEO_PID || !isRandomAccess(packets, offset)) continue
    return beforeTables(packets, offset)
  }
  return -1
}

/** The offset before the PAT and PMT packets that directly precede `offset`. */
function beforeTables(packets: Uint8Array, offset: number): number {
  let start = offset
  while (start > 0 && [0, PMT_PID].includes(pidAt(packets, start - 188))) start -= 188
  return start
}

function isRandomAccess(packets: Uint8Array, offset: number): boolean {
  const [control = 0, fieldLength = 0, flags = 0] = packets.subarray(offset + 3, offset + 6)
  return (control & 0x20) !== 0 && fieldLength > 0 && (flags & 0x40) !== 0
}

function pidAt(bytes: Uint8Array, offset: number): number {
  return (((bytes[offset + 1] ?? 0) & 0x1f) << 8) | (bytes[offset + 2] ?? 0)
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at
  return a.length === b.length ? -1 : length
}
