// With access control: how viewers exchange their credentials for a grant, and what a grant is good for.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { urisOf, ViewersBench } from './viewers.test.kit.js'

class GuardedBench extends ViewersBench {
  constructor(settings: Partial<ViewersBench['settings']> = {}, limits: { max?: number } = {}) {
    super(limits)
    Object.assign(this.settings, { hasAuth: true, ...settings })
  }

  /** The folder of the grant for a good token. */
  async grantFolder(): Promise<string> {
    const { status, header } = await this.ask('index.m3u8?token=good')
    assert.equal(status, 302)
    const [, folder = ''] = /^(~[\w-]+\/)index\.m3u8$/.exec(header('location') ?? '') ?? []
    assert.notEqual(folder, '')
    return folder
  }
}

test('a good request leads to the folder of a grant, where everything is answered without the token', async () => {
  await using bench = new GuardedBench()
  const { header } = await bench.ask('index.m3u8?token=good&_HLS_msn=5&CMCD=bl%3D1')
  assert.match(header('location') ?? '', /^~[\w-]+\/index\.m3u8\?_HLS_msn=5$/)
  assert.deepEqual([header('cache-control'), header('content-length')], ['no-store', '0'])
  const folder = await bench.grantFolder()
  const [list = ''] = await bench.uris(`${folder}index.m3u8`)
  const [segment = ''] = await bench.uris(folder + list)
  for (const name of ['index.m3u8', list, segment]) assert.equal((await bench.ask(folder + name)).status, 200, name)
  assert.match((await bench.ask(folder + segment)).header('cache-control') ?? '', /^private, max-age=\d+, immutable$/)
  assert.equal((await bench.ask(`${folder}none.ts`)).status, 404)
  assert.equal(bench.sessions.length, 1)
  assert.equal(bench.audiences.viewers()[0]?.path, '/one/index.m3u8', 'the grant is in no list of viewers')
})

test('a time is asked for where there is no archive: 404, and no session', async () => {
  await using bench = new GuardedBench()
  for (const time of ['start=5', 'start=2026-01-01&duration=10', 'utc=1000&lutc=2000', 'start=x']) {
    const { status, text } = await bench.ask(`index.m3u8?token=good&${time}`)
    assert.deepEqual([status, text.trim()], [404, 'there is no archive'], time)
  }
  assert.equal(bench.sessions.length, 0)
})

test('a hundred requests for the path are one session and one grant', async () => {
  await using bench = new GuardedBench({}, { max: 1 })
  const folders = new Set<string>()
  for (let reload = 0; reload < 100; reload++) folders.add(await bench.grantFolder())
  const [folder = ''] = folders
  await bench.ask(`${folder}index.m3u8`)
  assert.deepEqual([folders.size, bench.sessions.length, bench.known.grants.size], [1, 1, 1])
  assert.equal((await bench.ask('index.m3u8?token=good', { address: '10.0.0.2' })).status, 503)
})

test('players that ask beside the path are answered for a token or a cookie, and have one session', async () => {
  await using bench = new GuardedBench()
  const first = await bench.ask('index.m3u8?token=good')
  const cookie = first.header('set-cookie')?.split(';', 1)[0] ?? ''
  const [list = ''] = await bench.uris('index.m3u8', { headers: { cookie } }).then(async () => {
    return bench.uris(`${first.header('location')}`)
  })
  for (const asked of [{ path: `${list}?token=good` }, { path: list, headers: { cookie } }]) {
    const { status, text } = await bench.ask(asked.path, asked)
    assert.equal(status, 200)
    const [segment = ''] = urisOf(text)
    assert.equal((await bench.ask(segment + asked.path.slice(list.length), asked)).status, 200)
    assert.equal((await bench.ask(segment)).status, 401)
  }
  assert.equal((await bench.ask(list)).status, 401)
  assert.equal((await bench.ask(list, { headers: { cookie: 'hls-grant=forged' } })).status, 401)
  const again = await bench.ask('index.m3u8', { headers: { cookie: `a=b; ${cookie}` } })
  assert.deepEqual([again.status, again.header('location')], [302, first.header('location')])
  assert.equal(bench.sessions.length, 1)
})

test('a grant goes on when the token has expired, from other addresses and agents too, until it is idle', async () => {
  await using bench = new GuardedBench()
  const folder = await bench.grantFolder()
  bench.tokens.clear()
  assert.equal((await bench.ask('index.m3u8?token=good')).status, 302, 'the same link from the same address')
  const receiver = { address: '10.0.0.2', agent: 'AppleCoreMedia' }
  assert.equal((await bench.ask('index.m3u8?token=good', receiver)).status, 401, 'a new session needs a live token')
  const [list = ''] = await bench.uris(`${folder}index.m3u8`, receiver)
  for (let minute = 0; minute < 10; minute++) {
    bench.bench.clock.advance(1000)
    assert.equal((await bench.ask(folder + list, receiver)).status, 200)
  }
  assert.equal(bench.sessions.length, 1)
  bench.bench.clock.advance(301_000)
  bench.known.sweep()
  assert.equal((await bench.ask(`${folder}index.m3u8`, receiver)).status, 401)
  assert.equal((await bench.ask('index.m3u8?token=good')).status, 401)
})

test('without redirects the answer is the playlist, whose URIs lead into the folder of the grant', async () => {
  await using bench = new GuardedBench({ redirects: false })
  const { status, text, header } = await bench.ask('index.m3u8?token=good')
  assert.equal(status, 200)
  const [list = ''] = urisOf(text)
  assert.match(list, /^~[\w-]+\/main-[\w.-]+\.m3u8$/)
  assert.equal((await bench.ask(list)).status, 200)
  const other = await bench.ask('index.m3u8?token=good', { address: '10.0.0.2' })
  assert.notEqual(other.text, text)
  assert.notEqual(other.header('etag'), header('etag'))
  assert.deepEqual(urisOf((await bench.ask(`${list.split('/', 1)[0]}/index.m3u8`)).text), [list.split('/')[1]])
})

test('a kicked viewer gets 403 with its grant and with its token', async () => {
  await using bench = new GuardedBench()
  const folder = await bench.grantFolder()
  const [list = ''] = await bench.uris(`${folder}index.m3u8`)
  const [segment = ''] = await bench.uris(folder + list)
  bench.audiences.kick(bench.sessions[0] ?? '')
  for (const path of [`${folder}index.m3u8`, folder + list, folder + segment, 'index.m3u8?token=good']) {
    assert.equal((await bench.ask(path)).status, 403, path)
  }
})

test('forged grants are refused, and leave nothing behind', async () => {
  await using bench = new GuardedBench()
  const folder = await bench.grantFolder()
  const size = bench.known.grants.size
  const forged = [
    `~${'A'.repeat(44)}/`,
    `~${folder.slice(2)}`,
    `~${folder.slice(1, -1)}A/`,
    '~/',
    `~${'x'.repeat(8000)}/`,
  ]
  for (const each of [...forged, '~%2e%2e/', '~../']) {
    assert.equal((await bench.ask(`${each}index.m3u8`)).status, 401, each)
  }
  assert.deepEqual([bench.known.grants.size, bench.sessions.length], [size, 1])
  const stale = await bench.ask(`~${'A'.repeat(44)}/index.m3u8?token=good`)
  assert.deepEqual([stale.status, stale.header('location')], [302, `../${folder}index.m3u8`], 'the token is good')
})

describe('with cdn', () => {
  test('playlists may be kept for half a target duration, and segments by everybody', async () => {
    await using bench = new ViewersBench()
    Object.assign(bench.settings, { isCdn: true })
    const [list = ''] = await bench.uris('index.m3u8')
    const [segment = ''] = await bench.uris(list)
    for (const name of ['index.m3u8', list]) {
      assert.equal((await bench.ask(name)).header('cache-control'), 'public, max-age=1', name)
    }
    assert.match((await bench.ask(segment)).header('cache-control') ?? '', /^public, /)
  })

  test('segments lie beside the grants, and are for everybody; playlists are not', async () => {
    await using bench = new GuardedBench({ isCdn: true }, { max: 1 })
    const folder = await bench.grantFolder()
    const [list = ''] = await bench.uris(`${folder}index.m3u8`)
    const answer = await bench.ask(folder + list)
    assert.equal(answer.header('cache-control'), 'public, max-age=1')
    const [segment = ''] = urisOf(answer.text)
    assert.match(segment, /^\.\.\/main-/)
    const cached = await bench.ask(segment.slice(3), { address: '10.0.0.77' })
    assert.deepEqual([cached.status, cached.header('cache-control')?.split(',', 1)], [200, ['public']])
    assert.equal((await bench.ask(list)).status, 401)
    const beside = await bench.ask(`${list}?token=good`)
    assert.deepEqual([beside.status, beside.header('cache-control')], [200, 'private, no-cache'])
    assert.ok(urisOf(beside.text).every((uri) => uri.startsWith('main-')))
    assert.notEqual(beside.header('etag'), answer.header('etag'))
  })
})
