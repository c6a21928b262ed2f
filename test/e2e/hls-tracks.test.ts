// The output `hls` of the real process, its tracks read by the real ffmpeg: further audio as renditions, sound that falls
// silent and comes back, radio; and checked by the checker, as is a ladder.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { httpRequest } from './kit/http-request.js'
import { runCommandLine, startEngine, type EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const PACKET = 188
const AUDIO_PID = 0x101
const DURATION_S = 20
const SILENT = { from: 6.9, to: 14.9 }
const VIDEO = { gopFrames: 50, fps: 25, bitrate: 200_000 }

/** Two languages; sound that is silent for eight seconds; radio. */
const STREAMS = {
  languages: buildTs({ durationS: DURATION_S, video: VIDEO, audio: [{ language: 'deu' }, { language: 'eng' }] }).bytes,
  silent: withoutSound(buildTs({ durationS: DURATION_S, video: VIDEO, muxRate: 600_000 }).bytes),
  radio: buildTs({ durationS: DURATION_S, video: false, audio: { framesPerPes: 8 } }).bytes,
}

/** Without the units of the sound between two times; its counters go on behind them. */
function withoutSound(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = []
  let isSilent = false
  let counter = 0
  for (let at = 0; at < bytes.length; at += PACKET) {
    const packet = bytes.slice(at, at + PACKET)
    if ((((packet[1]! & 0x1f) << 8) | packet[2]!) !== AUDIO_PID) {
      kept.push(packet)
      continue
    }
    const seconds = (at / bytes.length) * DURATION_S
    if ((packet[1]! & 0x40) !== 0) isSilent = seconds >= SILENT.from && seconds < SILENT.to
    if (isSilent) continue
    packet[3] = (packet[3]! & 0xf0) | (counter++ & 0x0f)
    kept.push(packet)
  }
  return Buffer.concat(kept)
}

function yaml(endAfter: string): string {
  const pipelines = Object.keys(STREAMS).map(
    (name) => `  ${name}:
    inputs: { main: { type: unix, path: ${name}.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: /${name}/index.m3u8, offline: { gap: 2s, endAfter: ${endAfter} } } }
`,
  )
  // Two renditions of one stream.
  const ladder = `  ladder:
    inputs: { main: { type: unix, path: ladder.sock } }
    transforms: { one: { type: gop, from: main }, two: { type: gop, from: main } }
    outputs: { hls: { type: hls, from: [one, two], listener: web, path: /ladder/index.m3u8, offline: { gap: 2s, endAfter: ${endAfter} } } }
`
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
${pipelines.join('')}${ladder}`
}

test('ffmpeg reads further audio by its group, sound that comes back, and radio, without a warning', async () => {
  const names = Object.keys(STREAMS) as (keyof typeof STREAMS)[]
  // The playlists stay until the checker has seen them.
  await using engine = await startEngine({ yaml: yaml('1m') })
  const [languages = '', silent = '', radio = ''] = await Promise.all(
    names.map((name) => play(engine, name, STREAMS[name])),
  )
  assert.match(languages, /NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="http/)
  assert.match(radio, /CODECS="mp4a\.40\.2"\n/)
  await play(engine, 'ladder', STREAMS.languages)
  await Promise.all([...names, 'ladder'].map((name) => checkRules(engine, name)))
  await engine.folder.write('pipeline.yaml', yaml('3s'))

  const reads = [
    { name: 'languages', text: languages, map: '0:a:1', decode: true },
    { name: 'silent', text: silent, map: '0', decode: true },
    { name: 'radio', text: radio, map: '0', decode: true },
  ]
  const read = reads.map(async ({ name, text, map, decode }) => {
    for (const uri of text.match(/http[^"\s]+(?<!iframes)\.m3u8/g) ?? []) {
      await until(async () => (await httpRequest(uri)).text.endsWith('#EXT-X-ENDLIST\n'), `${uri} ends`)
    }
    const path = await engine.folder.write(`${name}.m3u8`, text)
    return { name, ...(await readWithFfmpeg(path, { map, decode, protocols: 'file,http,tcp' })) }
  })
  for (const { name, exitCode, warnings, lines, outTimeMs } of await Promise.all(read)) {
    assert.deepEqual([exitCode, warnings], [0, {}], `${name}: ${lines.join('\n')}`)
    assert.ok(outTimeMs > DURATION_S * 1000 - 700, `${name}: ${outTimeMs} ms`)
  }
  const details = (await engine.node('languages/hls')).details as { renditions: { refused: string[] }[] }
  assert.deepEqual(details.renditions[0]?.refused, [])
  await engine.stop()
})

/** With `engine probe`: all playlists that the output has. */
async function checkRules(engine: EngineProcess, name: string): Promise<void> {
  await using probe = runCommandLine(['probe', await engine.url(`${name}/hls`), '--for', '1s'], engine.folder.path)
  const { code } = await probe.exited
  assert.equal(code, 0, `a rule of HLS is broken in ${name}: ${probe.stdout}`)
}

/** Sends the stream at once. Returns the multivariant playlist with absolute URIs. */
async function play(engine: EngineProcess, name: string, stream: Uint8Array): Promise<string> {
  const socket = connect(join(engine.folder.path, `${name}.sock`)).on('error', () => undefined)
  socket.write(stream)
  const url = await engine.url(`${name}/hls`)
  const { status, text } = await httpRequest(url)
  assert.equal(status, 200, text)
  const absolute = (uri: string): string => new URL(uri, url).href
  return text.replace(/^[^#\n].*$/gm, absolute).replace(/URI="([^"]*)"/g, (_, uri: string) => `URI="${absolute(uri)}"`)
}
