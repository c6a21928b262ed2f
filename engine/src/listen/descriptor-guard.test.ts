import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DescriptorGuard } from './descriptor-guard.js'
import { KeptLog, RawClient, REAL_CLOCK, until } from './loopback.test.kit.js'

test('stops connections short of the limit, logs it once, and logs the end once', () => {
  const kept = new KeptLog()
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: kept.log, limit: 100 })
  for (let turn = 0; turn < 63; turn++) assert.equal(guard.acquire(), true)
  for (let turn = 0; turn < 10; turn++) assert.equal(guard.acquire(), false)
  // Kept for the control API, and a quarter of the reserve.
  for (let turn = 0; turn < 12 + 6; turn++) assert.equal(guard.acquire('control'), true)
  assert.equal(guard.acquire('control'), false)
  assert.equal(guard.isShort, true)
  assert.equal(kept.lines.length, 1)
  assert.match(kept.lines[0]?.text ?? '', /the limit is 100, 63 are in use by connections.*ulimit -n, LimitNOFILE=/)
  guard.release()
  guard.probe()
  assert.equal(guard.isShort, true)
  for (let turn = 0; turn < 18; turn++) guard.release('control')
  for (let turn = 0; turn < 2; turn++) guard.release()
  guard.probe()
  assert.equal(guard.isShort, true)
  guard.release()
  guard.probe()
  assert.equal(guard.isShort, false)
  assert.deepEqual(
    kept.lines.map(({ level }) => level),
    ['error', 'info'],
  )
})

test('a node whose viewers have taken all places still opens a socket', () => {
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: new KeptLog().log, limit: 1024, countOpen: () => 0 })
  while (guard.acquire());
  while (guard.acquire('control'));
  assert.equal(guard.acquire('node'), true)
  guard.release('node')
  let sockets = 0
  while (guard.acquire('node')) sockets++
  assert.equal(sockets, 32)
})

test('places that nodes give back, and whatever else was open, stay free for minutes, not for ever', () => {
  let others = 130
  let connections = 0
  const countOpen = (): number => others + connections
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: new KeptLog().log, limit: 1024, countOpen })
  for (let turn = 0; turn < 100; turn++) assert.equal(guard.acquire('node'), true)
  guard.probe()
  for (let turn = 0; turn < 100; turn++) guard.release('node')
  others = 30
  while (guard.acquire()) connections++
  assert.equal(connections, 1024 - 130 - 32 - 16)
  for (let turn = 0; turn < 100; turn++) assert.equal(guard.acquire('node'), true)
  for (let turn = 0; turn < 100; turn++) guard.release('node')
  for (let probe = 0; probe < 60; probe++) guard.probe()
  assert.equal(guard.acquire(), false)
  for (let probe = 0; probe < 240; probe++) guard.probe()
  while (guard.acquire()) connections++
  assert.equal(connections, 1024 - 64 - 16)
})

for (const others of [90, 500, 1010]) {
  test(`with all viewers there, and ${others} more descriptors open since, the control API has its places, and nodes theirs`, () => {
    let open = 60
    let connections = 0
    const countOpen = (): number => open + connections
    const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: new KeptLog().log, limit: 1024, countOpen })
    guard.probe()
    while (guard.acquire()) connections++
    open = others
    for (let probe = 0; probe < 300; probe++) guard.probe()
    assert.equal(guard.acquire(), false)
    for (let turn = 0; turn < 16; turn++) assert.equal(guard.acquire('control'), true)
    for (let turn = 0; turn < 16; turn++) guard.release('control')
    for (let check = 0; check < 100; check++) {
      assert.equal(guard.acquire('control'), true)
      guard.release('control')
    }
    for (let turn = 0; turn < 32; turn++) assert.equal(guard.acquire('node'), true)
  })
}

test('more connections to the control API than are kept for it get in while descriptors are free, and leave nodes theirs', () => {
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: new KeptLog().log, limit: 1024, countOpen: () => 0 })
  while (guard.acquire());
  let controls = 0
  while (guard.acquire('control')) controls++
  assert.equal(controls, 16 + 16)
  for (let turn = 0; turn < 32; turn++) assert.equal(guard.acquire('node'), true)
  assert.equal(guard.acquire('node'), false)
})

test('the oldest connection that has said nothing makes room, whichever listener it came to', () => {
  const kept = new KeptLog()
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: kept.log, limit: 100 })
  const closed: number[] = []
  const silent = Array.from({ length: 63 }, (_, index) => {
    assert.equal(guard.acquire(), true)
    return guard.addSilent(() => {
      closed.push(index)
      guard.release()
    })
  })
  silent[0]?.[Symbol.dispose]()
  for (let turn = 0; turn < 3; turn++) assert.equal(guard.acquire(), true)
  assert.deepEqual([closed, guard.isShort, kept.lines], [[1, 2, 3], false, []])
})

test('accepts any number of connections without a limit', () => {
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: new KeptLog().log, limit: Infinity })
  guard.open()
  for (let turn = 0; turn < 100_000; turn++) assert.equal(guard.acquire(), true)
})

/** The engine's listener in a process with few descriptors, and each line that it prints, as JSON. */
class Crowded {
  readonly lines: { readonly level?: string; readonly text?: string; readonly address?: string }[] = []
  readonly child: ChildProcess

  constructor(limit: number, heldFiles: number) {
    const server = fileURLToPath(new URL('./crowded-listener.test.kit.js', import.meta.url))
    const command = 'ulimit -n "$1" && exec "$2" "$3" "$4"'
    const args = ['-c', command, 'sh', String(limit), process.execPath, server, String(heldFiles)]
    this.child = spawn('sh', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (text + chunk).split('\n')
      text = parts.pop() ?? ''
      this.lines.push(...parts.map((line) => JSON.parse(line) as (typeof this.lines)[number]))
    })
  }

  get address(): string {
    return this.lines.find(({ address }) => address !== undefined)?.address ?? ''
  }

  says(level: string): number {
    return this.lines.filter((line) => line.level === level).length
  }

  async end(): Promise<void> {
    this.child.stdin?.end()
    await until(() => this.child.exitCode !== null || this.child.signalCode !== null, 'the process exits')
    assert.equal(this.child.exitCode, 0)
  }
}

const shortages = [
  { name: 'connections only', heldFiles: 0 },
  { name: 'open files', heldFiles: 50 },
] as const

for (const { name, heldFiles } of shortages) {
  test(`with the descriptors used up by ${name}, viewers stay, one line says what to raise, and later new ones are accepted`, async () => {
    const crowded = new Crowded(128, heldFiles)
    await until(() => crowded.address !== '', 'it listens')
    const viewer = await new RawClient(crowded.address).get('/live.ts').saw('tick')
    // A few at a time, so that they have asked before the next ones come: silent ones would make room.
    const crowd: RawClient[] = []
    await until(() => {
      if (crowd.length < 150) crowd.push(...[1, 2, 3].map(() => new RawClient(crowded.address).get('/live.ts')))
      return crowded.says('error') > 0
    }, 'the shortage is logged')
    assert.match(crowded.lines.find(({ level }) => level === 'error')?.text ?? '', /the limit is 128.*ulimit -n/)
    await viewer.received(viewer.length + 100)
    for (const client of crowd) client.close()
    await until(() => crowded.says('info') > 0, 'the end of the shortage is logged')
    const late = await new RawClient(crowded.address).get('/live.ts').saw('tick')
    await viewer.received(viewer.length + 100)
    assert.deepEqual([crowded.says('error'), crowded.says('info'), crowded.says('warn')], [1, 1, 0])
    for (const client of [viewer, late]) client.close()
    await crowded.end()
  })
}

test('a crowd that says nothing keeps nobody out, and costs no line', async () => {
  const crowded = new Crowded(128, 0)
  await until(() => crowded.address !== '', 'it listens')
  const viewer = await new RawClient(crowded.address).get('/live.ts').saw('tick')
  const crowd = Array.from({ length: 150 }, () => new RawClient(crowded.address))
  const late = await new RawClient(crowded.address).get('/live.ts').saw('tick')
  await viewer.received(viewer.length + 100)
  assert.equal(crowded.says('error'), 0)
  for (const client of [viewer, late, ...crowd]) client.close()
  await crowded.end()
})
