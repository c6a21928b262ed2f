// Inputs that call: ffmpeg and GStreamer wait for the engine, plain and encrypted.
import { test } from 'node:test'
import { join } from 'node:path'
import { Child } from './kit/child.js'
import { freeUdpPort } from './kit/free-port.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { sendClip } from './kit/send-clip.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const PASSPHRASE = 'a-passphrase-to-test'
const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')

test('inputs call ffmpeg and GStreamer, which wait for them, plain and encrypted', async () => {
  const [plain, secret, gstreamer] = await Promise.all(Array.from({ length: 3 }, () => freeUdpPort()))
  const pipeline = (port = 0, more = ''): string => `
    inputs: { in: { type: srt, mode: caller, address: "127.0.0.1:${port}", latency: 500ms${more} } }
    outputs: { out: { type: http-ts, from: in, listener: web, path: /${port}.ts } }`
  await using engine = await startEngine({
    yaml: `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  plain:${pipeline(plain)}
  secret:${pipeline(secret, `, passphrase: ${PASSPHRASE}, pbkeylen: 24`)}
  gst:${pipeline(gstreamer, `, passphrase: ${PASSPHRASE}, pbkeylen: 32`)}
`,
  })
  await using _plain = sendClip('mpegts', `srt://127.0.0.1:${plain}?mode=listener&latency=500000`)
  await using _secret = sendClip('mpegts', `srt://127.0.0.1:${secret}?mode=listener&passphrase=${PASSPHRASE}`)
  const sink = ['srtsink', `uri=srt://127.0.0.1:${gstreamer}?mode=listener`, `passphrase=${PASSPHRASE}`, 'pbkeylen=32']
  const source = ['filesrc', `location=${CLIP}`, '!', 'tsparse', 'set-timestamps=true', '!', 'identity', 'sync=true']
  await using gst = new Child('gst-launch-1.0', ['-q', ...source, '!', ...sink], { cwd: '/' })
  const stateOf = async (id: string): Promise<string> => {
    const { state, why, receivedBytes } = await engine.node(id)
    return `${state} ${why}, ${receivedBytes} bytes`
  }
  const receives = async (id: string): Promise<boolean> => ((await engine.node(id)).receivedBytes ?? 0) > 50_000
  for (const id of ['plain/in', 'secret/in', 'gst/in']) {
    let state = ''
    await until(
      async () => {
        state = await stateOf(id)
        return receives(id)
      },
      () => `${id}: ${state}\n${gst.stderr}`,
    )
  }
})
