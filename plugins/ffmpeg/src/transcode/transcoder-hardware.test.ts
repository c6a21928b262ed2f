// Encoders in hardware, with a program that claims to have them: what it encodes is the source.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import { FakeClock } from '@millrace/engine/testing'
import { chunksOf, makeClip, ptsOf, TranscodeBench, until } from './transcode.test.kit.js'

const SESSIONS = '[h264_nvenc @ 0x5] [error] OpenEncodeSessionEx failed: out of memory (10)'
/** Of one output. */
const COPY = 'exec cat >&3'

/** Tries succeed for one encoder; what it runs has these renditions. */
function claims(encoder: string, run = COPY): readonly string[] {
  const tries = `*rawvideo*"-c:v ${encoder} "*) cat > /dev/null; echo x;; *rawvideo*) echo 'Cannot load libcuda' >&2; exit 1;;`
  return ['sh', '-c', `case "$*" in ${tries} *) ${run};; esac`, 'ffmpeg']
}

const encodersOf = (bench: TranscodeBench): readonly (string | null)[] =>
  (bench.details['encoders'] as readonly { readonly encoder: string | null }[]).map(({ encoder }) => encoder)

const warnings = (bench: TranscodeBench): readonly string[] =>
  bench.context.lines.filter(({ level }) => level === 'warn').map(({ text }) => text)

let clip: Buffer
/** What follows it: the same, and another size. */
let later: Buffer
let other: Buffer

before(async () => {
  const args = ['-output_ts_offset', '2']
  clip = await makeClip({ seconds: 2 })
  later = await makeClip({ seconds: 2, args })
  other = await makeClip({ seconds: 1, size: '128x128', args })
})

describe('hardware that does not work', () => {
  test('is replaced by software with `auto`: the stream is whole, log and status say it, once', async () => {
    const renditions = { small: { hardware: 'auto' }, native: {} } as const
    await using bench = new TranscodeBench({ renditions }, { program: claims('none') })
    await bench.feed(clip)
    await bench.end()
    assert.deepEqual(encodersOf(bench), ['libx264'])
    assert.equal(ptsOf(bench.bytes('small')).length, 50)
    const told = warnings(bench).filter(
      (text) => text === 'a rendition is encoded in software: the hardware does not work',
    )
    assert.equal(told.length, 1)
    assert.ok(!bench.context.reported.some((state) => state.startsWith('degraded')))
  })

  test('costs the rendition that wants it, and no other one', async () => {
    const renditions = { card: { hardware: 'nvenc' }, plain: {} } as const
    await using bench = new TranscodeBench({ renditions }, { program: claims('none') })
    await bench.feed(clip)
    await bench.end()
    assert.deepEqual(encodersOf(bench), [null, 'libx264'])
    assert.equal(bench.bytes('card').length, 0)
    assert.equal(ptsOf(bench.bytes('plain')).length, 50)
  })

  test('fails the node if nothing else is encoded, with the reason, and is not tried over and over', async () => {
    const clock = new FakeClock()
    const renditions = { card: { hardware: 'nvenc' } } as const
    await using bench = new TranscodeBench({ renditions }, { program: claims('none'), clock })
    const failures = (): readonly unknown[] => bench.context.failures
    bench.pushAll(chunksOf(clip))
    await until(() => failures().length > 0, 'it has failed')
    const [failure] = failures()
    assert.ok(isEngineError(failure) && failure.code === 'TRANSCODE_HARDWARE', String(failure))
    assert.match(failure.message, /card: h264_nvenc: there is no graphics card that can encode/)
  })
})

test('an encoder that fails for a limit of the driver is replaced by software, and others run on', async () => {
  const run = `case "$*" in *h264_nvenc*) echo '${SESSIONS}' >&2; exit 1;; *) ${COPY};; esac`
  const renditions = { card: { hardware: 'nvenc' }, any: { hardware: 'auto' } } as const
  await using bench = new TranscodeBench({ renditions }, { program: claims('h264_nvenc', run) })
  await bench.feed(clip)
  await until(() => encodersOf(bench)[0] === null, 'the encoder has failed')
  await bench.feed(later)
  await bench.end()
  assert.deepEqual(encodersOf(bench), [null, 'libx264'])
  assert.ok(ptsOf(bench.bytes('any', bench.generations - 1)).length > 0)
  assert.match(warnings(bench).join(), /the limit of sessions is reached/)
})

test('an encoder that the driver refuses while the one before still has its session is started again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-session-'))
  const session = join(folder, 'session')
  // It keeps its session for a while when its input has ended.
  const run = `mkdir ${session} || { echo '${SESSIONS}' >&2; exit 1; }; cat >&3; sleep 0.5; rmdir ${session}`
  const renditions = { card: { hardware: 'nvenc', height: 90 } } as const
  await using bench = new TranscodeBench({ renditions }, { program: claims('h264_nvenc', run) })
  await bench.feed(clip)
  await until(() => bench.bytes('card').length > 0, 'it has begun')
  const args = ['-output_ts_offset', '2']
  await bench.feed(await makeClip({ seconds: 6, size: '128x128', args }), { speed: 3 })
  await until(() => bench.generations > 1, 'it has begun again')
  await bench.end()
  await rm(folder, { recursive: true })
  assert.deepEqual(encodersOf(bench), ['h264_nvenc'])
  assert.ok(ptsOf(bench.bytes('card', 1)).length > 0)
})

test('a source that ends while hardware is tried ends the ports, and nothing is started for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-tried-'))
  const tried = join(folder, 'tried')
  const tries = `*rawvideo*) while [ ! -e ${tried} ]; do sleep 0.05; done; cat > /dev/null; echo x;;`
  const program = ['sh', '-c', `case "$*" in ${tries} *) ${COPY};; esac`, 'ffmpeg']
  await using bench = new TranscodeBench({ renditions: { card: { hardware: 'nvenc' } } }, { program, pausable: false })
  await bench.feed(clip)
  await bench.end()
  await writeFile(tried, '')
  await until(() => encodersOf(bench)[0] === 'h264_nvenc', 'it has been tried')
  assert.equal(bench.details['command'], null)
  await rm(folder, { recursive: true })
})

test('an encoder in hardware is started again when the picture changes its size, and one in software is not', async () => {
  for (const { hardware, generations } of [
    { hardware: 'nvenc', generations: 2 },
    { hardware: 'none', generations: 1 },
  ] as const) {
    await using bench = new TranscodeBench(
      { renditions: { small: { hardware, height: 90 } } },
      { program: claims('h264_nvenc') },
    )
    await bench.feed(clip)
    await until(() => bench.bytes('small').length > 0, 'it has begun')
    await bench.feed(other)
    await bench.end()
    assert.equal(bench.generations, generations, hardware)
    const restarts = bench.context.metric('transcode_restarts_total') as Readonly<Record<string, number>>
    assert.equal(restarts['picture'] ?? 0, generations - 1)
    const pictures = [0, 1].reduce((sum, run) => sum + ptsOf(bench.bytes('small', run)).length, 0)
    assert.equal(pictures, 75, hardware)
  }
})
