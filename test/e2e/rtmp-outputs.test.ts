// Output rtmp against ffmpeg, GStreamer and nginx-rtmp: players pull from it, and it publishes to servers; one connection
// when its source starts again.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { signLink } from '@millrace/engine'
import type { ClientList } from '@millrace/engine/api'
import { RtmpClient, RtmpServer } from '@millrace/rtmp/node'
import { Child } from './kit/child.js'
import { readFlv } from './kit/flv-file.js'
import type { FlvTag } from './kit/flv-file.js'
import { freePort, isBound } from './kit/free-port.js'
import { getJson } from './kit/http-request.js'
import { scrape } from './kit/metrics-page.js'
import { NginxRtmp } from './kit/nginx-rtmp.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { SelfSigned } from './kit/self-signed.js'
import { runCommandLine, startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
const [AUDIO, VIDEO] = [8, 9]
const LINK_KEY = 'a-key-for-links-of-this-test-0123456789'

function ffmpeg(args: string, cwd: string): Child {
  return new Child('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...args.split(' ')], { cwd })
}

function start(inputs: string, outputs: readonly string[], sections = ''): Promise<EngineProcess> {
  return startEngine({
    yaml: [
      'version: 1',
      'listeners: { rtmp: { protocol: rtmp, address: "127.0.0.1:0" } }',
      'engine: { api: { address: "127.0.0.1:0" } }',
      sections,
      'services: { metrics: { type: prometheus, listener: api, path: /metrics } }',
      'pipelines:',
      '  news:',
      `    inputs: { in: ${inputs} }`,
      '    transforms: { gops: { type: gop, from: in } }',
      '    outputs:',
      ...outputs.map((output, at) => `      out${at}: { type: rtmp, from: gops, ${output} }`),
    ].join('\n'),
  })
}

async function addressOf(engine: EngineProcess): Promise<string> {
  await engine.ready()
  return (await engine.status()).listeners.find(({ name }) => name === 'rtmp')!.address ?? ''
}

/** Media of a file that is complete, or still being written. */
async function mediaOf(path: string): Promise<FlvTag[]> {
  const tags = readFlv(await readFile(path).catch(() => Buffer.alloc(0)))
  return tags.filter(({ type, body }) => type !== 18 && body[1] !== 0)
}

function assertTimes(tags: readonly FlvTag[], longestGapMs: number): void {
  for (const type of [AUDIO, VIDEO]) {
    const times = tags.filter((tag) => tag.type === type).map(({ timestampMs }) => timestampMs)
    assert.ok(times.length > 20, `${times.length} of type ${type}`)
    for (let at = 1; at < times.length; at++) {
      const step = times[at]! - times[at - 1]!
      assert.ok(step >= 0 && step <= longestGapMs, `type ${type}: ${times[at - 1]} to ${times[at]}`)
    }
  }
}

test('ffmpeg and GStreamer play from it, and nginx-rtmp takes what it publishes', async () => {
  await using nginx = await NginxRtmp.open('application live { live on; wait_key on; }')
  const far = `rtmp://127.0.0.1:${nginx.port}/live/cam`
  const push = `mode: push, url: "${far}"`
  await using engine = await start(`{ type: file, path: "${CLIP}", loop: true }`, [
    'mode: serve, listener: rtmp, app: live',
    push,
  ])
  const near = `rtmp://${await addressOf(engine)}/live/news`
  const cwd = engine.folder.path
  const files = ['near.flv', 'far.flv']
  await until(async () => {
    const page = await scrape(engine.api)
    return page.value('millrace_rtmp_calls_total', { node: 'out1' }) === 1
  }, 'nginx takes the stream')
  await using one = ffmpeg(`-i ${near} -t 3 -c copy near.flv`, cwd)
  await using two = ffmpeg(`-i ${far} -t 3 -c copy far.flv`, cwd)
  await using gst = new Child(
    'gst-launch-1.0',
    ['-q', 'rtmp2src', `location=${near}`, '!', 'filesink', 'location=gst.flv'],
    { cwd },
  )
  const probe = ['-v', 'error', '-show_entries', 'stream=codec_type', '-of', 'csv=p=0', near]
  await using tracks = new Child('ffprobe', probe, { cwd })
  assert.equal((await tracks.exited).code, 0, tracks.stderr)
  assert.deepEqual(tracks.stdout.trim().split('\n').sort(), ['audio', 'video'])
  for (const child of [one, two]) assert.equal((await child.exited).code, 0, `${child.stderr} ${nginx.log}`)
  for (const file of files) {
    assertTimes(await mediaOf(join(cwd, file)), 100)
    const decoded = ['-v', 'error', '-xerror', '-i', join(cwd, file), '-f', 'null', '-']
    execFileSync('ffmpeg', decoded, { stdio: 'pipe' })
  }
  await until(
    async () => (await mediaOf(join(cwd, 'gst.flv'))).length > 100,
    () => `GStreamer plays: ${gst.stderr}`,
  )
  assertTimes(await mediaOf(join(cwd, 'gst.flv')), 100)
  await engine.stop()
})

test('one connection to the server when the source is gone and comes back; time stamps go on', async () => {
  const port = await freePort()
  await using folder = await TempFolder.make()
  const cwd = folder.path
  // It takes one connection, and ends with it. Before the engine, whose own sockets could get that port.
  await using far = ffmpeg(`-listen 1 -i rtmp://127.0.0.1:${port}/live/cam -c copy -flush_packets 1 far.flv`, cwd)
  await until(
    () => isBound(port),
    () => `ffmpeg listens: ${far.stderr}`,
  )
  const inlet = '{ type: rtmp, listener: rtmp, app: in, streams: cam, linger: 20s }'
  await using engine = await start(inlet, [`mode: push, url: "rtmp://127.0.0.1:${port}/live/cam"`])
  const file = join(cwd, 'far.flv')
  const publish = `-re -i ${CLIP} -c copy -f flv rtmp://${await addressOf(engine)}/in/cam`
  let before = 0
  for (let round = 0; round < 2; round++) {
    await using publisher = ffmpeg(publish, cwd)
    await until(
      async () => (await mediaOf(file)).length > before + 100,
      () => `round ${round}: ${publisher.stderr} ${far.stderr}`,
    )
    before = (await mediaOf(file)).length
  }
  assert.equal(far.exit, undefined)
  assertTimes(await mediaOf(file), 10_000)
  const page = await scrape(engine.api)
  assert.equal(page.value('millrace_rtmp_calls_total', { node: 'out0' }), 1)
  await engine.stop()
  await far.exited
})

test('players of a listener are checked, limited, listed and kicked', async () => {
  await using engine = await start(
    `{ type: file, path: "${CLIP}", loop: true }`,
    ['mode: serve, listener: rtmp, app: live, auth: [viewers, people, links], clients: { max: 1 }'],
    [
      'auth:',
      '  viewers: { type: token, tokens: [a-token-for-this-test] }',
      '  people: { type: basic, users: { anna: a-password-of-anna } }',
      `  links: { type: signed, keys: { k1: "${LINK_KEY}" } }`,
    ].join('\n'),
  )
  const url = `rtmp://${await addressOf(engine)}/live/news`
  const list = async () => (await getJson<ClientList>(`${engine.api}/api/v1/clients`)).clients
  await assert.rejects(RtmpClient.play(url), { code: 'RTMP_REJECTED', message: /missing or wrong/ })
  await assert.rejects(RtmpClient.play(`${url}?token=wrong`), { code: 'RTMP_REJECTED' })
  await assert.rejects(RtmpClient.play(`${url}-other`), { code: 'RTMP_NOT_FOUND' })
  // The path that is signed is that of the stream.
  const link = new URL(signLink('http://host/news', { key: LINK_KEY, keyId: 'k1', expires: 60 + Date.now() / 1000 }))
  for (const query of ['?user=anna&pass=a-password-of-anna', link.search]) {
    await (await RtmpClient.play(url + query)).close()
    await until(async () => (await list()).length === 0, 'it has left')
  }
  let media = 0
  const player = await RtmpClient.play(`${url}?token=a-token-for-this-test`, { onMedia: () => void media++ })
  await until(() => media > 20, 'it plays')
  await assert.rejects(RtmpClient.play(`${url}?token=a-token-for-this-test`), {
    code: 'RTMP_REJECTED',
    message: 'too many viewers',
  })
  const [viewer] = await list()
  assert.deepEqual([viewer?.protocol, viewer?.state, viewer?.node], ['rtmp', 'reading', 'news/out0'])
  const env = { ENGINE_API: engine.api }
  await using kick = runCommandLine(['kick', viewer!.id], engine.folder.path, env)
  assert.equal((await kick.exited).code, 0, kick.stderr)
  await player.closed
  await until(async () => (await list()).length === 0, 'it is no longer listed')
  const page = await scrape(engine.api)
  const refused = (reason: string) => page.value('millrace_listener_refused_total', { listener: 'rtmp', reason }) ?? 0
  assert.deepEqual(['unauthorized', 'not-found', 'full'].map(refused), [2, 1, 1])
  await engine.stop()
})

test('it publishes over TLS to a server whose certificate it knows, and to no other', async () => {
  await using certificate = await SelfSigned.make('localhost')
  let media = 0
  await using server = await RtmpServer.open({
    ...{ address: '127.0.0.1', port: 0, tls: certificate.tls },
    onPublish: (arrival) => void arrival.accept({ media: () => void media++, ended: () => undefined }),
  })
  const push = `mode: push, url: "rtmps://localhost:${server.port}/live/cam"`
  await using engine = await start(`{ type: file, path: "${CLIP}", loop: true }`, [
    push,
    `${push}, tls: { ca: "${certificate.file}" }`,
  ])
  await until(() => media > 50, 'the server takes the stream')
  const stranger = await until(async () => {
    const node = await engine.node('news/out0')
    return node.state === 'degraded' && /RTMP/.test(node.why) ? node : undefined
  }, 'the other says why it cannot')
  assert.match(stranger.why, /RTMP_PUSH_UNREACHABLE: .*(self-signed|certificate)/)
  assert.equal((await engine.node('news/out1')).state, 'ready')
  await engine.stop()
})
