// Who may watch the output `hls`, in an engine over real sockets: grants, and what stands for them.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { until } from '../e2e/kit/until.js'
import { ask, below, grantOf, KEY, output, running, TOKEN } from './hls-guarded.js'
import type { TestEngine } from './test-engine.js'

describe('access', () => {
  let live: TestEngine
  before(async () => {
    live = await running({
      outputs: {
        tv: output('tv', ', auth: [players, links], encryption: { keyRotation: 4 }, dvr: 10s'),
        people: output('people', ', auth: people, redirect: false'),
        office: output('office', ', auth: office'),
      },
    })
  })
  after(() => live[Symbol.asyncDispose]())

  test('a hundred requests with one token are one viewer, whose grant works for all that follows', async () => {
    const grants = new Set<string>()
    for (let reload = 0; reload < 100; reload++) grants.add(await grantOf(live, `/tv/index.m3u8?${TOKEN}&_=${reload}`))
    const [path = ''] = grants
    const { list, segment, text } = await below(live, path)
    assert.equal(grants.size, 1)
    const key = new URL(/URI="([^"]+\.key)"/.exec(text)?.[1] ?? '', `http://x${list}`).pathname
    for (const each of [list, segment, key]) assert.equal((await ask(live, each)).status, 200, each)
    const viewers = live.engine.clients('one/tv')
    assert.deepEqual(
      viewers.map(({ user, path: shown }) => [user, shown]),
      [['anna', '/tv/index.m3u8']],
    )
  })

  test('the long playlists are entered as the others are: by the token, into the folder of a grant', async () => {
    const path = await grantOf(live, `/tv/dvr.m3u8?${TOKEN}`)
    assert.match(path, /^\/tv\/~[\w-]+\/dvr\.m3u8$/)
    const { list, segment } = await below(live, path)
    assert.match(list, /^\/tv\/~[^/]+\/main-[^/]+-dvr\.m3u8$/)
    assert.equal((await ask(live, segment)).status, 200)
    assert.equal((await ask(live, '/tv/dvr.m3u8')).status, 401)
    assert.equal((await ask(live, '/office/dvr.m3u8')).status, 404)
    assert.equal(live.engine.clients('one/tv').length, 1)
  })

  test('players that take no notice of the redirect are answered for their token; without one it is 401, with a sentence', async () => {
    const { list, segment } = await below(live, await grantOf(live, `/tv/index.m3u8?${TOKEN}`))
    const beside = (path: string): string => path.replace(/~[^/]+\//, '')
    for (const path of [list, segment]) {
      assert.equal((await ask(live, `${beside(path)}?${TOKEN}`)).status, 200, path)
      const { status, text, headers } = await ask(live, beside(path))
      assert.equal(status, 401)
      assert.match(text, /session that begins at \/tv\/index\.m3u8/)
      assert.deepEqual(
        [headers['www-authenticate'], headers['cache-control']],
        ['Session realm="millrace"', 'no-store'],
      )
    }
    assert.equal(live.engine.clients('one/tv').length, 1)
    const wrong = await ask(live, '/tv/index.m3u8?token=wrong')
    assert.deepEqual([wrong.status, wrong.headers['set-cookie']], [403, undefined])
  })

  test('a receiver elsewhere goes on with the grant when the link has expired, keys included, as the same viewer', async () => {
    // Not before it has been opened, also if the second is nearly over and the machine is slow.
    const expires = Math.floor(Date.now() / 1000) + 4
    const link = linkTo('/tv/index.m3u8', expires)
    const path = await grantOf(live, link)
    // Viewers of other tests end meanwhile: they have read nothing for three target durations.
    const viewers = (): string[] => live.engine.clients('one/tv').flatMap(({ user, id }) => (user === 'anna' ? [] : id))
    const [viewer] = viewers()
    const receiver = { from: '127.0.0.2', headers: { 'user-agent': 'AppleCoreMedia' } }
    await until(
      async () => (await ask(live, path)).status === 200 && Date.now() >= expires * 1000,
      'the link has expired',
    )
    assert.equal((await ask(live, link, receiver)).status, 403)
    const { list, segment, text } = await below(live, path, receiver)
    const key = new URL(/URI="([^"]+\.key)"/.exec(text)?.[1] ?? '', `http://x${list}`).pathname
    for (const each of [list, segment, key]) assert.equal((await ask(live, each, receiver)).status, 200, each)
    assert.equal(await grantOf(live, link), path, 'players ask for the link again and again')
    assert.deepEqual(viewers(), [viewer])
  })

  test('without redirects the playlist leads into the folder of the grant', async () => {
    const authorization = `Basic ${Buffer.from('anna:secret').toString('base64')}`
    const { list, segment } = await below(live, '/people/index.m3u8', { headers: { authorization } })
    assert.match(list, /^\/people\/~[\w-]+\//)
    assert.equal((await ask(live, segment)).status, 200)
    assert.equal((await ask(live, '/people/index.m3u8')).status, 401)
  })

  test('where nothing is presented there is nothing to exchange', async () => {
    const { list, segment } = await below(live, '/office/index.m3u8')
    assert.match(list, /^\/office\/main-/)
    assert.equal((await ask(live, segment, { from: '127.0.0.2' })).status, 403)
  })

  test('what leads out of the folder, forged grants and absurd parameters are refused at once', async () => {
    const path = await grantOf(live, `/tv/index.m3u8?${TOKEN}`)
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    for (const name of ['%2e%2e/%2e%2e/state', '..%2fstate', '~x/index.m3u8', 'x'.repeat(5000), '__proto__', '~/']) {
      assert.ok([400, 404].includes((await ask(live, folder + name)).status), name)
    }
    for (const forged of [
      `/tv/~${'A'.repeat(60)}/index.m3u8`,
      `${folder.slice(0, -2)}/index.m3u8`,
      '/tv/~~/index.m3u8',
    ]) {
      assert.equal((await ask(live, forged)).status, 401, forged)
    }
    const { list } = await below(live, path)
    for (const query of ['_HLS_msn=99999999999999999999', '_HLS_msn=-1&_HLS_part=x', `CMCD=${'%22'.repeat(3000)}`]) {
      assert.equal((await ask(live, `${list}?${query}`)).status, 200, query.slice(0, 40))
    }
  })
})

function linkTo(path: string, expires: number): string {
  const signature = createHmac('sha256', KEY).update(`${expires}\n${path}`).digest('hex')
  return `${path}?expires=${expires}&key=k&signature=${signature}`
}
