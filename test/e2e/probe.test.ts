// `engine probe` against live HLS that ffmpeg makes, served as it is and deliberately broken.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Child } from './kit/child.js'
import { runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const PACKET_SIZE = 188

let folder: TempFolder
let ffmpeg: Child
let server: Server
let base = ''

before(async () => {
  folder = await TempFolder.make()
  const video = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25']
  const coding = '-c:v libx264 -preset ultrafast -b:v 400k -g 25 -sc_threshold 0 -pix_fmt yuv420p -c:a aac'.split(' ')
  const hls = '-f hls -hls_time 1 -hls_list_size 5 -master_pl_name index.m3u8'.split(' ')
  const flags = ['-hls_flags', 'program_date_time+independent_segments+temp_file']
  const args = ['-nostdin', '-re', ...video, '-f', 'lavfi', '-i', 'sine=440', ...coding, ...hls, ...flags, 'live.m3u8']
  ffmpeg = new Child('ffmpeg', args, { cwd: folder.path })
  server = createServer((request, response) => void answer(request.url ?? '', response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await until(async () => (await read('live.m3u8')).includes('live2.ts'), 'ffmpeg has listed no segments')
})

after(async () => {
  await ffmpeg[Symbol.asyncDispose]()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await folder[Symbol.asyncDispose]()
})

async function read(name: string): Promise<Buffer> {
  return readFile(join(folder.path, name)).catch(() => Buffer.alloc(0))
}

/** Below /broken/ target durations are too short, and segments lack their first PAT. */
async function answer(path: string, response: ServerResponse): Promise<void> {
  const isBroken = path.startsWith('/broken/')
  const found = await read(basename(path))
  if (found.length === 0) {
    response.writeHead(404).end()
    return
  }
  if (!path.endsWith('.m3u8')) {
    const body = isBroken ? found.subarray(PACKET_SIZE * 3) : found
    response.writeHead(200, { 'content-type': 'video/mp2t', 'content-length': body.length }).end(body)
    return
  }
  const text = isBroken ? found.toString().replace('TARGETDURATION:1', 'TARGETDURATION:0') : found
  const type = { 'content-type': 'application/vnd.apple.mpegurl', 'content-encoding': 'gzip' }
  response.writeHead(200, type).end(gzipSync(text))
}

async function probe(path: string, ...options: readonly string[]) {
  await using child = runCommandLine(['probe', `${base}${path}`, ...options], folder.path)
  const { code } = await child.exited
  return { code, out: child.stdout, err: child.stderr }
}

interface Report {
  readonly playlists: readonly { readonly loads: number; readonly segments: number; readonly peakBitrate: number }[]
  readonly findings: readonly { readonly rule: string; readonly class: string; readonly where: string }[]
}

test('a presentation of ffmpeg is watched with its segments, and breaks no must', async () => {
  const { code, out, err } = await probe('/index.m3u8', '--for', '6s', '--json')
  const { playlists, findings } = JSON.parse(out) as Report
  assert.deepEqual([err, findings.filter((finding) => finding.class === 'must')], ['', []])
  assert.equal(code, 0)
  const [playlist] = playlists
  assert.ok(playlist !== undefined && playlist.loads >= 4 && playlist.segments >= 4, out)
  assert.ok(playlist.peakBitrate > 50_000 && playlist.peakBitrate < 5_000_000, out)
})

test('broken playlists and segments are named with rule and section, and exit 1', async () => {
  const { code, out } = await probe('/broken/index.m3u8', '--for', '1s')
  assert.equal(code, 1)
  assert.match(out, /^must segment-too-long \[4\.4\.3\.1\] live\.m3u8:\d+\n {2}The duration of a segment/m)
  assert.match(out, /^\S+ ts-tables-(late|missing) \[3\.1\.1\] live\.m3u8:\d+$/m)
  assert.match(out, /\n1 media playlist, loaded \d+ times?, \d+ segments read; broken rules: \d+ must, /)
})

test('a segment in place of a playlist is refused with a sentence, and exit 2', async () => {
  const { code, out, err } = await probe('/live0.ts')
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, /this is a transport stream, not a playlist; only HLS playlists can be checked yet\n$/)
})
