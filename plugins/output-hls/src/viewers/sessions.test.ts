// Without access control: who is a viewer, and what limits and kicks do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ViewersBench } from './viewers.test.kit.js'

const cmcd = (text: string): string => `CMCD=${encodeURIComponent(text)}`

test('a session begins with a playlist, and segments belong to it, also with another agent', async () => {
  await using bench = new ViewersBench()
  const [list = ''] = await bench.uris('index.m3u8', { address: '10.0.0.9' })
  const [segment = ''] = await bench.uris(list, { address: '10.0.0.9' })
  assert.equal(bench.sessions.length, 1)
  const before = bench.audiences.viewers()[0]?.bytes ?? 0
  assert.equal((await bench.ask(segment, { address: '10.0.0.9', agent: 'loader' })).status, 200)
  assert.ok((bench.audiences.viewers()[0]?.bytes ?? 0) > before + 1000)
  assert.equal(bench.uncountedBytes, 0)
  assert.equal((await bench.ask(segment, { address: '10.0.0.10' })).status, 200)
  assert.equal(bench.sessions.length, 1, 'a segment begins none')
  assert.ok(bench.uncountedBytes > 1000)
})

test('a session ends three target durations after its last request, and is one line of the access log', async () => {
  await using bench = new ViewersBench()
  const [list = ''] = await bench.uris('index.m3u8')
  for (let second = 0; second < 20; second++) {
    bench.bench.clock.advance(1000)
    await bench.ask(list)
  }
  assert.equal(bench.sessions.length, 1)
  bench.bench.clock.advance(11_000)
  assert.deepEqual(
    bench.audiences.ends.map(({ reason, path, status }) => [reason, path, status]),
    [['idle', '/one/index.m3u8', 200]],
  )
})

test('limits refuse playlists, never segments of a session that counts', async () => {
  await using bench = new ViewersBench({ max: 1 })
  const [list = ''] = await bench.uris('index.m3u8')
  const [segment = ''] = await bench.uris(list)
  const other = { address: '10.0.0.2' }
  for (const name of ['index.m3u8', list]) assert.equal((await bench.ask(name, other)).status, 503)
  assert.equal((await bench.ask(segment, other)).status, 503)
  for (const name of ['index.m3u8', list, segment]) assert.equal((await bench.ask(name)).status, 200)
})

test('a viewer who is kicked gets 403 for playlists and segments until that has aged', async () => {
  await using bench = new ViewersBench()
  const [list = ''] = await bench.uris('index.m3u8')
  const [segment = ''] = await bench.uris(list)
  assert.equal(bench.audiences.kick(bench.sessions[0] ?? ''), true)
  for (const name of ['index.m3u8', list, segment]) {
    const { status, text } = await bench.ask(name)
    assert.deepEqual([status, text], [403, 'refused: kicked\n'])
  }
  bench.bench.clock.advance(60_001)
  assert.equal((await bench.ask('index.m3u8')).status, 200)
})

test('the id of a playback tells viewers of one address apart; requests without one are of the first', async () => {
  await using bench = new ViewersBench()
  const [list = ''] = await bench.uris('index.m3u8')
  const one = `${list}?${cmcd('sid="one"')}`
  await bench.ask(one)
  assert.equal(bench.sessions.length, 1, 'the player sends none with its first request')
  const [segment = ''] = await bench.uris(one)
  await bench.ask(`${segment}?${cmcd('sid="one",bl=4000')}`)
  await bench.ask(segment)
  await bench.ask(`${list}?${cmcd('sid="two"')}`)
  await bench.ask(`${list}?${cmcd('sid="two"')}`)
  assert.equal(bench.sessions.length, 2)
  await bench.ask(`${list}?${cmcd('sid="one"')}`, { address: '10.0.0.2' })
  assert.equal(bench.sessions.length, 3, 'the same id from elsewhere is another viewer')
  bench.bench.clock.advance(20_000)
  await bench.ask('index.m3u8')
  await bench.ask(`${list}?${cmcd('sid="three"')}`)
  assert.equal(bench.sessions.length, 1, 'the page was loaded again')
})

test('an id that is new with each request takes few places, and none where addresses are limited', async () => {
  await using many = new ViewersBench()
  const [list = ''] = await many.uris('index.m3u8')
  for (let request = 0; request < 100; request++) await many.ask(`${list}?${cmcd(`sid="${request}"`)}`)
  assert.ok(many.sessions.length <= 9, `${many.sessions.length} sessions`)

  await using one = new ViewersBench({ perAddress: 1 })
  await one.ask('index.m3u8')
  for (let request = 0; request < 10; request++) {
    assert.equal((await one.ask(`${list}?${cmcd(`sid="${request}"`)}`)).status, 200)
  }
  assert.equal(one.sessions.length, 1)
})

test('what players report is shown of each viewer, and observed', async () => {
  await using bench = new ViewersBench()
  const [list = ''] = await bench.uris('index.m3u8')
  await bench.ask(`${list}?${cmcd('bl=5900,br=950,mtp=9800,sid="a"')}`)
  const [segment = ''] = await bench.uris(list)
  bench.bench.clock.advance(1000)
  await bench.ask(segment, { headers: { 'cmcd-request': 'bl=0', 'cmcd-session': 'sid="a"', 'cmcd-status': 'bs' } })
  assert.deepEqual(bench.audiences.viewers()[0]?.player, {
    ...{ bufferMs: 0, bitsPerSecond: 950_000, throughputBitsPerSecond: 9_800_000, stalls: 1 },
  })
  assert.deepEqual(bench.buffers, [5.9, 0])
  assert.equal((await bench.ask(`${list}?${cmcd('x'.repeat(8192))}`)).status, 200)
})
