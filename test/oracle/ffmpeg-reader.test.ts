import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildTs, dropPackets } from '@millrace/engine/testing'
import type { BuiltTs, TsPlan } from '@millrace/engine/testing'
import { checkTs } from './check-ts.js'
import { sortWarning } from './ffmpeg-warnings.js'
import { listPackets, readWithFfmpeg } from './ffmpeg-reader.js'

const CLIP = fileURLToPath(new URL('../../../pipelines/media/testcard.ts', import.meta.url))
let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-oracle-'))
})
after(() => rm(folder, { recursive: true }))

const plans: readonly { name: string; plan: TsPlan; decode: boolean }[] = [
  { name: 'H.264 with B pictures', plan: { video: { bFrames: 2 } }, decode: true },
  {
    name: 'H.264 with open GOPs and no indicator',
    plan: { video: { bFrames: 2, gopFrames: 12, keyPicture: 'recoveryPoint', randomAccessIndicator: false } },
    decode: true,
  },
  { name: 'H.265', plan: { video: { codec: 'h265', bFrames: 2 } }, decode: false },
  { name: 'MPEG-2', plan: { video: { codec: 'mpeg2', bFrames: 2 }, audio: { codec: 'mp2' } }, decode: true },
  { name: 'audio only', plan: { video: false }, decode: true },
  { name: 'a wrap', plan: { startPts90k: 2 ** 33 - 180_000 }, decode: true },
  { name: 'a PMT over two packets', plan: { pcr: { pid: 0x1f0 }, pmtPackets: 2, psi: { gapMs: 7 } }, decode: true },
]

for (const { name, plan, decode } of plans) {
  test(`ffprobe and the checker agree on a built stream with ${name}`, async () => {
    const built = buildTs(plan)
    const file = await store(built)
    const report = checkTs(built.bytes)
    const packets = await listPackets(file)
    for (const [stream, { pid, media }] of built.tracks.entries()) {
      const own = packets.filter((packet) => packet.stream === stream)
      const first = report.units[pid]?.firstPts90k ?? -1
      // ffprobe unwraps times near the wrap to negative values.
      assert.equal(((own[0]?.pts90k ?? 0) + 2 ** 33) % 2 ** 33, first)
      if (media === 'video') assert.equal(own.length, report.units[pid]?.units)
      if (media === 'video') assert.equal(own.filter((packet) => packet.key).length, built.keyframes.length)
    }
    const reading = await readWithFfmpeg(file, { decode })
    assert.equal(reading.exitCode, 0)
    assert.deepEqual(reading.lines, [])
  })
}

test('ffmpeg warns of a lost packet', async () => {
  const built = buildTs({})
  const lost = dropPackets(built.bytes, { pid: 0x100, max: 3 })
  const reading = await readWithFfmpeg(await store({ ...built, bytes: lost.bytes }))
  // ffmpeg reads the beginning twice: the first time to find the streams.
  assert.ok((reading.warnings.continuity ?? 0) >= 3)
  assert.ok((reading.warnings.corrupt ?? 0) > 0)
})

test('ffmpeg reads the clip without a warning, and reports its position', async () => {
  const reading = await readWithFfmpeg(CLIP)
  assert.deepEqual(reading.lines, [])
  assert.ok(Math.abs(reading.outTimeMs - 16_000) < 100)
})

test('a reader of an endless stream ends when aborted, and leaves no connection', async () => {
  await using server = await serveEndless()
  const ending = new AbortController()
  const reading = await readWithFfmpeg(server.url, { signal: ending.signal, onProgress: () => ending.abort() })
  assert.deepEqual([reading.exitCode, reading.signal], [0, null])
  assert.ok(reading.outTimeMs > 0)
  const enough = new AbortController()
  const packets = await listPackets(server.url, { signal: enough.signal, onPacket: () => enough.abort() })
  assert.ok(packets.length > 0)
  await server.idle()
})

test('lines are sorted by the kind of warning', () => {
  const table = [
    ['[mpegts @ 0x1] [debug] Continuity check failed for pid 256 expected 4 got 6', 'continuity'],
    ['[mpegts @ 0x1] [warning] Packet corrupt (stream = 0, dts = 1008000).', 'corrupt'],
    ['[mpegts @ 0x1] [debug] PES packet size mismatch', 'pesSize'],
    ['[null @ 0x1] [warning] Application provided invalid, non monotonically increasing dts to muxer', 'dts'],
    ['[h264 @ 0x1] [error] non-existing PPS 0 referenced', 'parameters'],
    ['[warning] something else', 'other'],
    ['[info] Stream mapping:', undefined],
  ] as const
  for (const [line, kind] of table) assert.equal(sortWarning(line), kind)
})

async function store(built: BuiltTs): Promise<string> {
  const file = join(folder, 'stream.ts')
  await writeFile(file, built.bytes)
  return file
}

/** Serves the clip over and over, as fast as it is read. */
async function serveEndless(): Promise<AsyncDisposable & { url: string; idle(): Promise<void> }> {
  const clip = await readFile(CLIP)
  const responses = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    responses.add(response)
    response.on('close', () => responses.delete(response))
    const fill = (): void => {
      while (response.write(clip));
    }
    response.on('drain', fill)
    fill()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    idle: async () => {
      for (const response of responses) if (!response.closed) await once(response, 'close')
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
