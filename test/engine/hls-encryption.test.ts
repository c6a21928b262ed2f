// Encrypted HLS in an engine, over real sockets: who gets keys, what encrypted segments answer, and what a reload changes.
import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { RawClient } from '../e2e/kit/raw-client.js'
import { until } from '../e2e/kit/until.js'
import { applyYaml, ask } from './hls-requests.js'
import { TestEngine } from './test-engine.js'

/** GOPs of half a second. */
const clip = buildTs({ durationS: 6, video: { gopFrames: 12, fps: 24, bitrate: 300_000 } })
const KEYED = ', encryption: { keyRotation: 2 }'

function output(path: string, more = ''): string {
  return `{ type: hls, from: gops, listener: web, path: /${path}/index.m3u8, segment: 500ms, window: 6s${more} }`
}

function yaml(outputs: Readonly<Record<string, string>>): string {
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
auth: { viewers: { type: basic, users: { anna: secret } } }
pipelines:
  one:
    inputs: { main: { type: file, path: main.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
${Object.entries(outputs)
  .map(([name, text]) => `      ${name}: ${text}\n`)
  .join('')}`
}

async function running(outputs: Readonly<Record<string, string>>): Promise<TestEngine> {
  const live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  await live.start(yaml(outputs))
  return live
}

function reload(live: TestEngine, outputs: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  return applyYaml(live, yaml(outputs))
}

interface Listed {
  readonly segment: string
  /** Paths; undefined: it is not encrypted. */
  readonly key: string | undefined
  readonly iv: string
}

/** The media playlist: its path, its text, and each segment with its key. */
async function media(live: TestEngine, folder = '/live/', headers: Record<string, string> = {}) {
  const { body, status } = await ask(live, `${folder}index.m3u8`, { headers })
  assert.equal(status, 200, body.toString())
  const uri = body.toString().match(/^[^#\n]+$/m)?.[0] ?? ''
  const text = (await ask(live, folder + uri, { headers })).body.toString()
  return { path: folder + uri, text, listed: listOf(text, folder) }
}

function listOf(text: string, folder = '/live/'): readonly Listed[] {
  const listed: Listed[] = []
  let [key, iv]: [string | undefined, string] = [undefined, '']
  for (const line of text.split('\n')) {
    const tag = /^#EXT-X-KEY:METHOD=([^,]+)(?:,URI="([^"]+)",IV=0x(\w+))?/.exec(line)
    if (tag !== null) [key, iv] = [tag[2] && folder + tag[2], tag[3] ?? '']
    else if (line !== '' && !line.startsWith('#')) listed.push({ segment: folder + line, key, iv })
  }
  return listed
}

/** The segment in clear. */
async function load(
  live: TestEngine,
  { segment, key, iv }: Listed,
  headers: Record<string, string> = {},
): Promise<Buffer> {
  const { body, status } = await ask(live, segment, { headers })
  assert.equal(status, 200, segment)
  if (key === undefined) return body
  const bytes = await ask(live, key, { headers })
  assert.equal(bytes.status, 200, key)
  const cipher = createDecipheriv('aes-128-cbc', bytes.body, Buffer.from(iv, 'hex'))
  return Buffer.concat([cipher.update(body), cipher.final()])
}

describe('an encrypted output', () => {
  let live: TestEngine
  before(async () => {
    live = await running({
      hls: output('live', `${KEYED}, cors: ["https://tv.example", "https://two.example"]`),
      other: output('other', KEYED),
    })
  })
  after(() => live[Symbol.asyncDispose]())

  test('gives the key of each segment, which decrypts it; no cache keeps the key', async () => {
    const { listed } = await until(async () => {
      const found = await media(live)
      return new Set(found.listed.map(({ key }) => key)).size >= 3 && found
    }, 'keys change')
    for (const each of listed.slice(-4)) assert.equal((await load(live, each))[0], 0x47)
    const { key } = listed.at(-1)!
    const { headers, body } = await ask(live, key!)
    assert.equal(body.length, 16)
    const names = ['content-type', 'content-length', 'cache-control', 'etag']
    assert.deepEqual(
      names.map((name) => headers.get(name)),
      ['application/octet-stream', '16', 'private, no-store', null],
    )
    const head = await ask(live, key!, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), head.body.length], [200, '16', 0])
    const ranged = await ask(live, key!, { headers: { range: 'bytes=0-3' } })
    assert.deepEqual([ranged.status, ranged.body], [200, body])
  })

  test('answers for encrypted segments as for others: ranges of the encrypted bytes, lengths, tags, HEAD', async () => {
    const { segment } = (await media(live)).listed.at(-1)!
    const whole = await ask(live, segment)
    const { length } = whole.body
    assert.deepEqual([whole.headers.get('content-length'), length % 16], [String(length), 0])
    const ranges: readonly [string, number, number, number][] = [
      ['bytes=0-15', 206, 0, 16],
      ['bytes=360-', 206, 360, length],
      ['bytes=-16', 206, length - 16, length],
      [`bytes=0-${length * 2}`, 206, 0, length],
      ['bytes=5-4', 200, 0, length],
    ]
    for (const [range, status, from, to] of ranges) {
      const part = await ask(live, segment, { headers: { range } })
      assert.deepEqual([part.status, part.headers.get('content-length')], [status, String(to - from)], range)
      assert.deepEqual(part.body, whole.body.subarray(from, to), range)
    }
    const beyond = await ask(live, segment, { headers: { range: `bytes=${length}-` } })
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${length}`])
    const head = await ask(live, segment, { method: 'HEAD' })
    assert.deepEqual([head.headers.get('content-length'), head.body.length], [String(length), 0])
    const tag = whole.headers.get('etag') ?? ''
    assert.equal((await ask(live, segment, { headers: { 'if-none-match': tag } })).status, 304)
  })

  test('has I-frame playlists, whose initialisation section is in clear and can be kept', async () => {
    const { body } = await ask(live, '/live/index.m3u8')
    const uri = /#EXT-X-I-FRAME-STREAM-INF:.*URI="([^"]+)"/.exec(body.toString())?.[1] ?? ''
    const text = (await ask(live, `/live/${uri}`)).body.toString()
    const init = /#EXT-X-MAP:URI="([^"]+)"\n#EXT-X-KEY/.exec(text)?.[1] ?? assert.fail(text)
    const { headers, ...answer } = await ask(live, `/live/${init}`)
    assert.deepEqual([answer.status, answer.body.length, answer.body[0]], [200, 376, 0x47])
    assert.deepEqual([headers.get('content-type'), headers.get('content-length')], ['video/mp2t', '376'])
    assert.match(headers.get('cache-control') ?? '', /immutable/)
    const part = await ask(live, `/live/${init}`, { headers: { range: 'bytes=188-' } })
    assert.deepEqual([part.status, part.body], [206, answer.body.subarray(188)])
  })

  test('gives no key for a guess, for a key of another output, and for what is no name of a key', async () => {
    const [mine, other] = [await media(live), await media(live, '/other/')]
    const name = other.listed.at(-1)!.key!.slice('/other/'.length)
    assert.equal((await ask(live, `/other/${name}`)).status, 200)
    const mineName = mine.listed.at(-1)!.key!.slice('/live/'.length)
    const guessed = mineName.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    const names = [name, guessed, mineName.toUpperCase(), 'keys.json', '.key', 'a.key', `${'0'.repeat(16)}.key`]
    for (const each of [...names, '__proto__.key', `${'a'.repeat(3000)}.key`, 'init-0.ts', 'init-.ts']) {
      const { status, headers } = await ask(live, `/live/${each}`)
      assert.deepEqual([status, headers.get('cache-control')], [404, 'no-store'], each)
    }
    for (const path of ['/live/../state/keys.json', `/live/%2e%2e/other/${name}`, `/live/..%2fother%2f${name}`]) {
      await using raw = new RawClient(`http://${live.address('web')}`)
      raw.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      await raw.ended
      assert.ok([400, 404].includes(raw.status), `${path}: ${raw.status}`)
    }
  })

  test('keeps its secret in a file that nobody else can read', async () => {
    const folder = join(live.folder.path, 'state')
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('keys.json'))
    assert.equal(files.length, 2)
    const secrets = new Set<string>()
    for (const name of files) {
      const { mode } = await stat(join(folder, name))
      assert.equal(mode & 0o777, 0o600)
      secrets.add((JSON.parse(await readFile(join(folder, name), 'utf8')) as { secret: string }).secret)
    }
    assert.equal(secrets.size, 2)
  })
})

test('keys need the access that the stream needs, and what is encrypted is private', async () => {
  await using live = await running({ hls: output('live', `${KEYED}, auth: viewers`) })
  const anna = { authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` }
  const { listed } = await media(live, '/live/', anna)
  const { key, segment } = listed.at(-1)!
  assert.equal((await load(live, listed.at(-1)!, anna))[0], 0x47)
  assert.equal((await ask(live, key!)).status, 401)
  assert.equal((await ask(live, `/live/${'0'.repeat(16)}.key`)).status, 401)
  assert.match((await ask(live, segment, { headers: anna })).headers.get('cache-control') ?? '', /^private/)
})

test('options that would give keys to all pages, or other keys for the same segments, are refused', async () => {
  await using live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  await assert.rejects(live.load(yaml({ hls: output('live', `${KEYED}, cors: "*"`) })), /must name the origins/)
  await assert.rejects(live.load(yaml({ hls: output('live', `${KEYED}, cors: ["https://a.example", "*"]`) })))
  const aligned = yaml({ hls: output('live', `${KEYED}, slicing: aligned`) })
  await assert.rejects(live.load(aligned), /each server would have other keys/)
})

describe('a reload', () => {
  test('that turns encryption on, changes it and turns it off is live: the playlist goes on, old segments stay', async () => {
    await using live = await running({ hls: output('live') })
    const { path, listed: clear } = await until(async () => {
      const found = await media(live)
      return found.listed.length >= 2 && found
    }, 'some segments')
    const steps: readonly [more: string, isEncrypted: boolean][] = [
      [', encryption: {}', true],
      [', encryption: { keyRotation: 1 }', true],
      ['', false],
    ]
    for (const [more, isEncrypted] of steps) {
      const verbs = await reload(live, { hls: output('live', more) })
      assert.equal(verbs['one/hls'], 'live', more)
      await until(async () => {
        const newest = listOf((await ask(live, path)).body.toString()).slice(-2)
        return newest.every(({ key }) => (key !== undefined) === isEncrypted)
      }, `segments follow${more}`)
    }
    const text = (await ask(live, path)).body.toString()
    assert.match(text, /#EXT-X-KEY:METHOD=NONE\n/)
    assert.doesNotMatch(text, /GAP|ENDLIST/)
    for (const each of listOf(text)) assert.equal((await load(live, each))[0], 0x47)
    assert.equal((await ask(live, clear[0]!.segment)).status, 200)
  })

  test('that replaces the node keeps keys; paths that are exchanged take their keys with them', async () => {
    const outputs = (a: string, b: string) => ({ a: output(a, KEYED), b: output(b, KEYED) })
    await using live = await running(outputs('live', 'other'))
    const before = (await media(live)).listed.at(-1)!
    const bytes = await load(live, before)
    await reload(live, outputs('other', 'live'))
    const moved = Object.fromEntries(
      Object.entries(before).map(([name, value]) => [name, value?.replace('/live/', '/other/')]),
    ) as unknown as Listed
    assert.deepEqual(await load(live, moved), bytes)
    assert.equal((await ask(live, before.key!)).status, 404)
    await reload(live, { ...outputs('other', 'live'), a: output('other', `${KEYED}, targetDuration: 2s`) })
    assert.deepEqual(await load(live, moved), bytes)
  })
})
