import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { chunksOf, colourOf, colourTs, H264, SnapshotBench, until } from './snapshot.test.kit.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-snapshot-'))
after(() => rmSync(folder, { recursive: true }))
const red = colourTs('red', H264)
const blue = colourTs('blue', H264)

function script(name: string, body: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}

/** The picture, as a viewer gets it. */
async function load(bench: SnapshotBench, port: number): Promise<Uint8Array> {
  const response = await fetch(`http://127.0.0.1:${port}/a.jpg`)
  assert.equal(response.status, 200, await (response.ok ? '' : response.text()))
  return new Uint8Array(await response.arrayBuffer())
}

describe('output snapshot', () => {
  test('serves a picture of the newest key frame, and a newer one only after `every`', async () => {
    await using bench = new SnapshotBench()
    const port = await bench.listeners.serve()
    assert.equal((await fetch(`http://127.0.0.1:${port}/a.jpg`)).status, 503)
    bench.push(chunksOf(red))
    bench.clock.advance(500)
    await until(() => bench.pictures['made'] === 1, 'the first picture is made')
    const [r = 0, , b = 0] = colourOf(await load(bench, port))
    assert.ok(r > 200 && b < 60, `red: ${r}, ${b}`)
    bench.push(chunksOf(blue, 1))
    bench.clock.advance(9000)
    assert.equal(bench.processes.count, 0)
    bench.clock.advance(1500)
    await until(() => bench.pictures['made'] === 2, 'the second picture is made')
    const [r2 = 0, , b2 = 0] = colourOf(await load(bench, port))
    assert.ok(r2 < 60 && b2 > 200, `blue: ${r2}, ${b2}`)
    // The same key frame gives no second picture.
    bench.clock.advance(60_000)
    assert.equal(bench.processes.count, 0)
  })

  test('makes one at once for the command, and says which', async () => {
    await using bench = new SnapshotBench({ format: 'webp', width: 32 })
    await assert.rejects(bench.node.take(), { code: 'SNAPSHOT_NO_KEY_FRAME' })
    bench.push(chunksOf(red))
    const [first, second] = await Promise.all([bench.node.take(), bench.node.take()])
    assert.deepEqual(first, second)
    assert.equal(bench.pictures['made'], 1)
    assert.match(JSON.stringify(first), /"path":"\/a\.jpg"/)
  })

  test('of many channels at once, no picture is of another channel', async () => {
    const benches = Array.from({ length: 4 }, () => new SnapshotBench({ every: '1s' }))
    try {
      for (const [at, bench] of benches.entries()) bench.push(chunksOf(at % 2 === 0 ? red : blue))
      await Promise.all(benches.map((bench) => bench.node.take()))
      for (const [at, bench] of benches.entries()) {
        const [r = 0, , b = 0] = colourOf(await load(bench, await bench.listeners.serve()))
        assert.equal(r > b, at % 2 === 0)
      }
    } finally {
      await Promise.all(benches.map((bench) => bench[Symbol.asyncDispose]()))
    }
  })

  for (const [name, body] of [
    ['ends without reading', 'exit 0'],
    ['reads a little, and ends', 'head -c 100 >/dev/null; exit 0'],
    ['fails', 'cat >/dev/null; echo "[error] why" >&2; exit 1'],
    ['kills itself', 'kill -9 $$'],
  ] as const) {
    test(`an ffmpeg that ${name} costs a picture, which is said, and the next key frame is tried`, async () => {
      await using bench = new SnapshotBench({}, { ffmpeg: script('bad', body) })
      const port = await bench.listeners.serve()
      bench.push(chunksOf(red))
      bench.clock.advance(500)
      await until(() => bench.pictures['failed'] === 1, 'it has failed')
      await until(() => bench.context.reported.length === 1, 'it is said')
      assert.match(bench.context.reported[0] ?? '', /^degraded: /)
      const response = await fetch(`http://127.0.0.1:${port}/a.jpg`)
      assert.match(await response.text(), /could not be decoded/)
      assert.equal(bench.processes.count, 0)
      assert.deepEqual(bench.processes.failures, [])
    })
  }

  test('an ffmpeg that hangs is killed when the node ends', async () => {
    const bench = new SnapshotBench({}, { ffmpeg: script('hangs', `trap '' TERM; while :; do sleep 0.1; done`) })
    bench.push(chunksOf(red))
    bench.clock.advance(500)
    await until(() => bench.processes.count === 1, 'it runs')
    const taken = bench.node.take().catch((error: unknown) => error)
    await bench.node[Symbol.asyncDispose]()
    assert.equal(bench.processes.count, 0)
    assert.match(String(await taken), /no longer needed/)
    await bench[Symbol.asyncDispose]()
  })

  test('hands its picture to the node that replaces it, unless that reads another stream', async () => {
    await using bench = new SnapshotBench()
    bench.push(chunksOf(red))
    await bench.node.take()
    const state = bench.node.snapshotState()
    const inlets = { kept: ['main.out'], added: [], removed: [], renamed: new Map<string, string>() }
    for (const [kept, format, status] of [
      [['main.out'], 'jpeg', 200],
      [['main.out'], 'webp', 503],
      [[], 'jpeg', 503],
    ] as const) {
      await using next = new SnapshotBench({ format }, { previous: { state, inlets: { ...inlets, kept } } })
      const response = await fetch(`http://127.0.0.1:${await next.listeners.serve()}/a.jpg`)
      assert.equal(response.status, status)
    }
  })
})
