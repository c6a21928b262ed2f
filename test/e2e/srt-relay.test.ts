// pipelines/srt-relay.yaml with real programs: ffmpeg publishes and watches over SRT, and is refused with SRT's own codes.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { SrtError, SrtSocket } from '@millrace/srt/node'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { Child } from './kit/child.js'
import { scrape } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { sendClip } from './kit/send-clip.js'
import { EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { srtLiveTransmit } from './kit/srt-live-transmit.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const ENOUGH_BYTES = 200_000
const PACKET_BYTES = 188

test('ffmpeg publishes by name; ffmpeg and srt-live-transmit watch it; a rival and an unknown name are refused', async () => {
  await using engine = await startRelay('500ms')
  await engine.ready()
  const address = await addressOf(engine, 'srt')
  const urls = async (id: string): Promise<readonly string[]> => (await engine.node(id)).urls ?? []
  assert.deepEqual(await urls('relay/pub'), [`srt://${address}?streamid=publish:\${stream}`])
  for (const name of ['publish', 'read'])
    assert.ok(engine.child.stderr.includes(`srt://${address}?streamid=${name}:\${stream}`), engine.child.stderr)
  const url = `srt://${address}?mode=caller&latency=500000&streamid=`
  await using publisher = sendClip('mpegts', `${url}#!::r=news,m=publish`)
  await until(() => has(engine, 'relay@news/view'), 'the copy of news')
  assert.deepEqual(await urls('relay@news/pub'), [`srt://${address}?streamid=publish:news`])
  const [watch = ''] = await urls('relay@news/view')
  assert.equal(watch, `srt://${address}?streamid=read:news`)

  let received = new Uint8Array(0)
  await using viewer = srtLiveTransmit(`${watch}&latency=500`, (bytes) => {
    if (received.length < ENOUGH_BYTES) received = Buffer.concat([received, bytes])
  })
  // It decodes: it starts with tables and a key frame.
  const decode = [
    '-v',
    'error',
    '-xerror',
    '-analyzeduration',
    '500000',
    '-i',
    `${url}#!::r=news,m=request`,
    '-frames:v',
    '25',
    '-f',
    'null',
    '-',
  ]
  await using decoder = new Child('ffmpeg', decode, { cwd: '/' })
  await until(
    () => received.length >= ENOUGH_BYTES,
    () => `${received.length} bytes`,
  )
  for (let at = 0; at + PACKET_BYTES <= received.length; at += PACKET_BYTES)
    assert.equal(received[at], 0x47, `at ${at}`)
  assert.equal(received[1]! & 0x1f, 0, 'it begins with the PAT')
  const exit = await decoder.exited
  assert.deepEqual([exit.code, decoder.stderr], [0, ''])

  await using caller = await SrtSocket.open()
  const [host, port] = [address.split(':')[0]!, Number(address.split(':')[1])]
  const refusalOf = async (streamId: string): Promise<number | undefined> => {
    // Longer than a request for an unknown name waits.
    const call = caller.connect({ host, port, streamId, timeoutMs: 60_000 })
    const error: unknown = await call.catch((reason: unknown) => reason)
    return error instanceof SrtError ? error.rejectCode : undefined
  }
  assert.equal(await refusalOf('#!::r=news,m=publish'), 1409)
  assert.equal(await refusalOf('#!::r=other,m=request'), 1404)
  assert.equal(await refusalOf('#!::r=../up,m=publish'), 1404)
  assert.equal(await refusalOf('#!:{r=news}'), 4)

  const page = await scrape(`http://${await addressOf(engine, 'web')}/v1`)
  const refused = (reason: string): number =>
    page.value('millrace_listener_refused_total', { listener: 'srt', reason }) ?? 0
  assert.deepEqual([refused('busy'), refused('not-found'), refused('stream-id')], [1, 2, 1])
  await publisher[Symbol.asyncDispose]()
  await viewer[Symbol.asyncDispose]()
  await engine.stop()
})

async function has(engine: EngineProcess, id: string): Promise<boolean> {
  const { pipelines } = await engine.status()
  return pipelines.some(({ nodes }) => nodes.some((node) => node.id === id))
}

async function addressOf(engine: EngineProcess, listener: string): Promise<string> {
  const found = (await engine.status()).listeners.find(({ name }) => name === listener)
  assert.ok(found !== undefined)
  return found.address
}

/** The shipped configuration, on other ports. */
async function startRelay(latency: string): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const yaml = await readFile(join(REPOSITORY_ROOT, 'pipelines/srt-relay.yaml'), 'utf8')
    const engine = 'engine: { api: { address: "127.0.0.1:0" }, stateDir: state }'
    await folder.write('srt-relay.yaml', `${yaml}\n${engine}\n`)
    const ports = { SRT_ADDRESS: '127.0.0.1:0', WEB_ADDRESS: '127.0.0.1:0', SRT_LATENCY: latency }
    const child = runCommandLine(['run', 'srt-relay.yaml'], folder.path, ports)
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

test('another engine pushes a stream to the relay and calls for it: it comes back whole, over lossless SRT', async () => {
  // A sender gives up what nobody acknowledges for as long, as when a machine is busy with other tests.
  await using relay = await startRelay('2s')
  await relay.ready()
  const address = await addressOf(relay, 'srt')
  const clip = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
  await using engine = await startEngine({
    yaml: `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  there:
    inputs: { file: { type: file, path: "${clip}", loop: true, batch: 20ms } }
    transforms: { gops: { type: gop, from: file } }
    outputs: { push: { type: srt, from: gops, mode: caller, address: "${address}", streamId: "#!::r=clip,m=publish" } }
  back:
    inputs: { pull: { type: srt, mode: caller, address: "${address}", streamId: "#!::r=clip,m=request" } }
    transforms: { gops: { type: gop, from: pull } }
    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /back.ts } }
`,
  })
  await until(() => has(relay, 'relay@clip/view'), 'the copy of clip')
  await using viewer = new HttpReader(await engine.url('back/ts'))
  await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)
  assertJoin('back', assertClean('back', viewer.report().ts))
  const { details } = await engine.node('there/push')
  assert.match(JSON.stringify(details), /"dropped":0/)
  await engine.stop()
  await relay.stop()
})
