// pipelines/dvr.yaml: what is on the disk is served in ranges, in long playlists and by time, also after a kill.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

test('a channel can be rewound and asked for by time; after a kill it goes on with what is on the disk', async () => {
  await using folder = await TempFolder.make()
  const first = await start(folder, '127.0.0.1:0')
  const url = await first.url('dvr/hls')
  const dvr = new URL('dvr.m3u8', url)
  const [long] = await until(async () => {
    const { status, text } = await httpRequest(dvr)
    return status === 200 && urisOf(text).map((uri) => new URL(uri, dvr).href)
  }, 'there are long playlists')
  const before = await until(async () => {
    const { text } = await httpRequest(long!)
    return urisOf(text).length >= 2 && text
  }, 'there are some segments')
  assert.match(before, /^#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-START:TIME-OFFSET=-\d+\n/)
  await checkRanges(new URL(urisOf(before)[0]!, url))

  first.child.signal('SIGKILL')
  await first.child.exited
  const second = await start(folder, new URL(url).host)
  const again = await until(async () => {
    const { status, text } = await httpRequest(long!)
    return status === 200 && text
  }, 'the same playlist is there again')
  const [now, was] = [urisOf(again), urisOf(before)]
  assert.ok(
    was.slice(0, -1).every((uri) => now.includes(uri)),
    'it lists what it has listed',
  )
  await using probe = runCommandLine(['probe', dvr.href, '--for', '1s'], folder.path)
  await checkRanges(new URL(was[0]!, url))
  await checkTime(url, before, folder)
  const { code } = await probe.exited
  assert.equal(code, 0, `a rule of HLS is broken: ${probe.stdout}`)
  second.child.signal('SIGTERM')
  assert.equal((await second.child.exited).code, 0)
})

/** Range requests as RFC 9110 and players have them. */
async function checkRanges(segment: URL): Promise<void> {
  const get = async (range?: string): Promise<{ status: number; body: Buffer; headers: Headers }> => {
    const response = await fetch(segment, range === undefined ? {} : { headers: { range } })
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
  }
  const whole = await get()
  const { length } = whole.body
  assert.deepEqual([whole.status, whole.headers.get('content-length'), length % 188], [200, String(length), 0])
  const ranges: readonly [range: string, from: number, to: number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=188-', 188, length],
    ['bytes=-376', length - 376, length],
    [`bytes=1000-${length * 2}`, 1000, length],
  ]
  for (const [range, from, to] of ranges) {
    const part = await get(range)
    assert.equal(part.status, 206, range)
    assert.equal(part.headers.get('content-length'), String(to - from))
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${length}`)
    assert.ok(part.body.equals(whole.body.subarray(from, to)), range)
  }
  for (const range of [`bytes=${length}-`, 'bytes=-0']) assert.equal((await get(range)).status, 416)
  const head = await fetch(segment, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(length)])
  const tag = whole.headers.get('etag') ?? ''
  assert.equal((await fetch(segment, { headers: { 'if-none-match': tag } })).status, 304)
}

/** The archive has what was listed. */
async function checkTime(url: string, listed: string, folder: TempFolder): Promise<void> {
  const from = /#EXT-X-PROGRAM-DATE-TIME:([^\n]+)/.exec(listed)?.[1] ?? ''
  const asked = `${url}?start=${from}&duration=4`
  const { status, text } = await httpRequest(asked)
  assert.equal(status, 200, text)
  const media = new URL(urisOf(text)[0]!, url)
  const found = await httpRequest(media)
  assert.match(found.text, /#EXT-X-PLAYLIST-TYPE:VOD\n[^]*#EXT-X-ENDLIST\n$/)
  await checkRanges(new URL(urisOf(found.text)[0]!, url))
  await using probe = runCommandLine(['probe', asked, '--for', '1s'], folder.path)
  const { code } = await probe.exited
  assert.equal(code, 0, `a rule of HLS is broken: ${probe.stdout}`)
  for (const [query, expected] of [
    ['start=9999-01-01', 404],
    ['start=-1', 400],
    [`start=${from}&duration=315360000`, 400],
    ['utc=1000&lutc=2000', 404],
  ] as const) {
    assert.equal((await httpRequest(`${url}?${query}`)).status, expected, query)
  }
  const outside = await httpRequest(new URL('archive-20261130T0220-..%2f..%2fx.ts', url))
  assert.ok([400, 404].includes(outside.status))
}

function urisOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

/** `address`: of the viewers. */
async function start(folder: TempFolder, address: string): Promise<EngineProcess> {
  const yaml = await readFile(join(REPOSITORY_ROOT, 'pipelines/dvr.yaml'), 'utf8')
  const card = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
  const engine = 'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 1s }'
  await folder.write('dvr.yaml', `${yaml.replace('media/testcard.ts', card)}\n${engine}\n`)
  const child = runCommandLine(['run', 'dvr.yaml'], folder.path, { DVR_ADDRESS: address })
  const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
  return new EngineProcess(folder, child, api)
}
