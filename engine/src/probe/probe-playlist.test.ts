import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '../testing/ts-builder/build-ts.js'
import type { ProbeOptions, ProbeReport } from './probe-report.js'
import { probePlaylist } from './probe-playlist.js'
import { serveScript } from './scripted-server.test.kit.js'
import type { Script, ScriptedServer } from './scripted-server.test.kit.js'

const BASE = 'https://example.com'
const START_MS = Date.UTC(2026, 0, 1)

/** A live playlist of segments of 2 s; `first` and `last` are their numbers. */
function live(first: number, last: number, more = ''): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${first}`]
  lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(START_MS + first * 2000).toISOString()}`)
  for (let number = first; number <= last; number++) lines.push('#EXTINF:2.000,', `s${number}.m4s`)
  return `${lines.join('\n')}\n${more}`
}

/** Segment n is listed from second 2n - 6 on, and leaves 8 s after it. */
const sliding = (second: number) => ({ body: live(Math.floor(second / 2), Math.floor(second / 2) + 3) })

const MULTIVARIANT = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1500,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25,CLOSED-CAPTIONS=NONE
high.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1000,AVERAGE-BANDWIDTH=900,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25,CLOSED-CAPTIONS=NONE
low.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200,CODECS="avc1.64001f",RESOLUTION=1280x720,URI="i.m3u8"
`

async function probe(
  server: ScriptedServer,
  path = '/live.m3u8',
  options: Partial<ProbeOptions> = {},
): Promise<ProbeReport> {
  const report = await probePlaylist(BASE + path, { watchMs: 10_000, segments: 10, ...options }, server, server.clock)
  assert.ok(!('why' in report), JSON.stringify(report))
  return report
}

const rulesOf = ({ findings }: ProbeReport) => findings.map(({ rule }) => rule)

/** Any segment of the scripts, or what `over` says of it. */
function withSegments(script: Script, over: Script = {}): Script {
  return new Proxy(script, {
    get: (_, path: string) =>
      over[path] ?? script[path] ?? (path.endsWith('.m4s') ? () => ({ body: 'moof' }) : undefined),
  })
}

test('a live playlist that keeps the rules is loaded until the time is over, and its new segments once each', async () => {
  const server = serveScript(withSegments({ '/live.m3u8': sliding }))
  const report = await probe(server)
  assert.deepEqual(report.findings, [])
  assert.deepEqual(
    report.playlists.map(({ loads, segments }) => [loads, segments]),
    [[10, 7]],
  )
  const segments = server.asked.filter((line) => line.startsWith('GET /s'))
  assert.deepEqual(segments, [
    'GET /s1.m4s',
    'GET /s2.m4s',
    'GET /s3.m4s',
    ...[4, 5, 6, 7].map((n) => `GET /s${n}.m4s`),
  ])
})

test('no more segments are read than the options allow', async () => {
  const server = serveScript(withSegments({ '/live.m3u8': sliding }))
  await probe(server, '/live.m3u8', { segments: 2 })
  assert.equal(server.asked.filter((line) => line.startsWith('GET /s')).length, 2)
})

test('a playlist that stands still is late once, however long it does', async () => {
  const server = serveScript(withSegments({ '/live.m3u8': () => ({ body: live(0, 3) }) }))
  const [finding, ...others] = (await probe(server)).findings
  assert.deepEqual([finding?.rule, finding?.count, finding?.class, others.length], ['update-late', 1, 'must', 0])
})

test('a playlist that has ended is loaded once', async () => {
  const server = serveScript(withSegments({ '/live.m3u8': () => ({ body: live(0, 3, '#EXT-X-ENDLIST\n') }) }))
  assert.deepEqual((await probe(server)).findings, [])
  assert.equal(server.asked.filter((line) => line.endsWith('.m3u8')).length, 1)
})

test('a listed segment that is not there, and one that is removed too early, are reported', async () => {
  const over = { '/s3.m4s': () => undefined, '/s0.m4s': () => undefined }
  const server = serveScript(withSegments({ '/live.m3u8': sliding }, over))
  const { findings } = await probe(server)
  assert.deepEqual(findings.map(({ rule, seen }) => `${rule} ${seen}`).sort(), [
    'segment-gone-early s0.m4s: status 404, 1.0 s too early',
    'segment-not-served s3.m4s: status 404',
  ])
})

test('the playlists of a presentation are compared, and each is checked under its name', async () => {
  const script = {
    '/index.m3u8': () => ({ body: MULTIVARIANT }),
    '/high.m3u8': sliding,
    '/low.m3u8': (second: number) => ({ body: sliding(second).body.replace('DURATION:2', 'DURATION:3') }),
  }
  const report = await probe(serveScript(withSegments(script)), '/index.m3u8')
  assert.equal(report.kind, 'multivariant')
  assert.deepEqual(
    report.findings.map(({ rule, where }) => [rule, where]),
    [
      ['not-served', 'i.m3u8'],
      ['targets-differ', 'index.m3u8'],
      ['live-too-short', 'low.m3u8'],
    ],
  )
})

test('bit rates are compared with what the variant declares', async () => {
  const script = {
    '/index.m3u8': () => ({ body: MULTIVARIANT }),
    '/high.m3u8': sliding,
    '/low.m3u8': sliding,
    '/i.m3u8': sliding,
  }
  const over = { '/s5.m4s': () => ({ body: new Uint8Array(600) }) }
  const { findings } = await probe(serveScript(withSegments(script, over)), '/index.m3u8')
  const rates = findings.filter(({ rule }) => rule.endsWith('bandwidth'))
  assert.deepEqual(
    rates.map(({ where, seen }) => [where, seen]),
    [
      ['high.m3u8', 'measured 2400, BANDWIDTH=2000'],
      ['low.m3u8', 'measured 2400, BANDWIDTH=1000'],
    ],
  )
})

test('byte ranges are asked for as ranges, and cut from a whole answer', async () => {
  const ts = buildTs().bytes
  const body = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:1
#EXTINF:1,
#EXT-X-BYTERANGE:${ts.length}@1000
all.ts
#EXT-X-ENDLIST
`
  const ranges: unknown[] = []
  const whole = new Uint8Array(1000 + ts.length)
  whole.set(ts, 1000)
  const server = serveScript({
    '/live.m3u8': () => ({ body }),
    '/all.ts': (_, { headers }) => {
      ranges.push(headers?.['range'])
      return { body: whole }
    },
  })
  assert.ok(!rulesOf(await probe(server)).includes('ts-packets'))
  assert.deepEqual(ranges, [`bytes=1000-${999 + ts.length}`])
})

test('a transport stream, a page, and an error are no playlists', async () => {
  const script: Script = {
    '/a.ts': () => ({ body: new Uint8Array(188).fill(0x47) }),
    '/page': () => ({ body: '<html>' }),
  }
  const server = serveScript(script)
  const ask = (path: string) => probePlaylist(BASE + path, { watchMs: 0, segments: 0 }, server, server.clock)
  assert.deepEqual(await ask('/a.ts'), { why: 'this is a transport stream, not a playlist', isOther: true })
  assert.deepEqual(await ask('/page'), {
    why: 'this is no HLS playlist: it does not begin with #EXTM3U',
    isOther: true,
  })
  assert.deepEqual(await ask('/none'), { why: 'status 404', isOther: false })
})
