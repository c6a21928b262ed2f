import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineErrors } from '../errors.js'
import { FakeClock } from '../testing/fake-clock.js'
import { servingAt, Supervised, until } from './supervised.test.kit.js'
import { ReloadRetry } from './reload-retry.js'

const upstreamError = defineErrors({
  UPSTREAM_SILENT: { sentence: 'It does not answer.', hint: 'start it', reaction: 'retry' },
  UPSTREAM_WRONG: { sentence: 'It is wrong.', hint: 'change it', reaction: 'end' },
})

test('each try waits twice as long, up to a minute, and from the start again after a cancel', () => {
  const clock = new FakeClock()
  let tries = 0
  const retry = new ReloadRetry(clock, () => tries++)
  const delays = Array.from({ length: 6 }, () => {
    const delayMs = retry.schedule()
    clock.advance(delayMs - 1)
    const before = tries
    clock.advance(1)
    assert.equal(tries, before + 1)
    assert.equal(retry.atMs, undefined)
    return delayMs
  })
  assert.deepEqual(delays, [5000, 10_000, 20_000, 40_000, 60_000, 60_000])
  retry.schedule()
  retry.cancel()
  clock.advance(120_000)
  assert.equal(tries, 6)
  assert.equal(retry.schedule(), 5000)
  retry.cancel()
})

test('a reload that fails because something does not answer says when it is tried again; any other does not', async () => {
  await using setting = await Supervised.start(servingAt('/a'))
  setting.engine.held = () => Promise.reject(upstreamError('UPSTREAM_WRONG', 'no such stream'))
  await setting.files.write('live.yaml', servingAt('/b'))
  const wrong = await setting.control.reload()
  assert.deepEqual([wrong.result, wrong.retryInMs, setting.control.status().retryAt], ['failed', undefined, undefined])
  setting.engine.held = () => Promise.reject(upstreamError('UPSTREAM_SILENT', 'encoder.example does not answer'))
  const silent = await setting.control.reload()
  assert.deepEqual([silent.result, silent.retryInMs], ['failed', 5000])
  const { retryAt, reason } = setting.control.status()
  assert.match(retryAt ?? '', /^\d{4}-/)
  assert.match(reason ?? '', /encoder\.example does not answer/)
  // A newer request takes its place.
  setting.engine.held = () => Promise.resolve()
  assert.equal((await setting.control.reload()).result, 'applied')
  assert.equal(setting.control.status().retryAt, undefined)
})

test('with --no-watch nothing is tried again by itself', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  setting.engine.held = () => Promise.reject(upstreamError('UPSTREAM_SILENT', 'encoder.example does not answer'))
  await setting.files.write('live.yaml', servingAt('/b'))
  assert.deepEqual(
    [(await setting.control.reload()).retryInMs, setting.control.status().retryAt],
    [undefined, undefined],
  )
})

test('the status says that a reload is in progress, and by whom', async () => {
  await using setting = await Supervised.start(servingAt('/a'))
  const { begun, release } = setting.engine.hold()
  await setting.files.write('live.yaml', servingAt('/b'))
  const reload = setting.control.reload()
  await begun
  assert.ok(['api', 'file'].includes(setting.control.status().inProgress?.by ?? ''))
  release()
  await reload
  assert.equal(setting.control.status().inProgress, undefined)
})

test('a try by itself applies what did not answer before', { timeout: 60_000 }, async () => {
  await using setting = await Supervised.start(servingAt('/a'))
  setting.engine.held = () => Promise.reject(upstreamError('UPSTREAM_SILENT', 'not yet'))
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  setting.engine.held = () => Promise.resolve()
  while (!setting.control.status().inSync) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(setting.control.status().last?.by, 'retry')
  assert.equal(setting.engine.applied.length, 1)
})

test('a try by itself is forced if the one before was, and not once the files have been saved again', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { clock })
  const { engine, control, files, supervision } = setting
  await failTo('/b', setting)
  await applied(1, setting, clock)
  assert.deepEqual([control.status().last?.by, engine.forced], ['retry', [true]])
  await failTo('/c', setting)
  await files.write('live.yaml', servingAt('/d'))
  await supervision.reloader.reload('file')
  await applied(2, setting, clock)
  assert.deepEqual([control.status().last?.by, engine.forced], ['retry', [true, false]])
})

test('a try that is due while saved files wait for more changes does not force them', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { clock })
  await failTo('/b', setting)
  await setting.files.write('live.yaml', servingAt('/c'))
  setting.engine.held = () => Promise.resolve()
  clock.advance(5000)
  await applied(1, setting, clock)
  assert.deepEqual(setting.engine.forced, [false])
})

test('a try that is due while the same files are read again comes after that', { timeout: 60_000 }, async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { clock })
  const { reloader } = setting.supervision
  await failTo('/b', setting)
  const saved = [reloader.reload('file'), reloader.reload('file')]
  clock.advance(5000)
  await Promise.all(saved)
  await applied(1, setting, clock)
  assert.deepEqual(setting.engine.forced, [true])
})

test('a try that is due while another reload is in progress is not made in addition to that', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { clock })
  const { engine, control, files, supervision } = setting
  let fail: (() => void) | undefined
  engine.held = () => new Promise((_, reject) => (fail = () => reject(upstreamError('UPSTREAM_SILENT', 'not yet'))))
  await files.write('live.yaml', servingAt('/b'))
  const saved = supervision.reloader.reload('file')
  await until(() => fail !== undefined)
  const asked = control.reload()
  const { begun, release } = engine.hold()
  fail?.()
  assert.equal((await saved).retryInMs, 5000)
  await begun
  clock.advance(60_000)
  assert.equal(control.status().retryAt, undefined)
  release()
  assert.equal((await asked).result, 'applied')
  clock.advance(60_000)
  // Answered after all that waited before.
  await supervision.reloader.reload('file')
  assert.deepEqual([control.status().last?.by, control.status().retryAt, engine.applied.length], ['api', undefined, 1])
})

/** Saves files whose reload fails because something does not answer. */
async function failTo(path: string, { engine, files, control }: Supervised): Promise<void> {
  engine.held = () => Promise.reject(upstreamError('UPSTREAM_SILENT', 'not yet'))
  await files.write('live.yaml', servingAt(path))
  assert.equal((await control.reload(true)).retryInMs, 5000)
}

/** Everything answers now, and time passes until so many reloads have been applied. */
async function applied(count: number, { engine, control }: Supervised, clock: FakeClock): Promise<void> {
  engine.held = () => Promise.resolve()
  while (engine.applied.length < count) {
    clock.advance(250)
    await new Promise((resolve) => setImmediate(resolve))
    await until(() => control.status().inProgress === undefined)
  }
}
