import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DescriptorGuard } from './descriptor-guard.js'
import { KeptLog, RawClient, REAL_CLOCK, until } from './loopback.test.kit.js'

test('stops connections short of the limit, logs it once, and logs the end once', () => {
  const kept = new KeptLog()
  const guard = new DescriptorGuard({ clock: REAL_CLOCK, log: kept.log, limit: 100 })
  for (let turn = 0; turn < 75; turn++) assert.equal(guard.acquire(), true)
  for (let turn = 0; turn < 10; turn++) assert.equal(guard.acquire(), false)
  assert.equal(guard.isShort, true)
  assert.equal(kept.lines.length, 1)
  assert.match(kept.lines[0]?.text ?? '', /the limit is 100, 75 are in use by connections.*ulimit -n, LimitNOFILE=/)
  guard.release()
  guard.probe()
  assert.equal(guard.isShort, true)
  for (let turn = 0; turn < 5; turn++) guard.release()
  guard.probe()
  assert.equal(guard.isShort, false)
  assert.deepEqual(
    kept.lines.map(({ level }) => level),
    ['error', 'info'],
  )
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
    const crowd = Array.from({ length: 150 }, () => new RawClient(crowded.address))
    await until(() => crowded.says('error') > 0, 'the shortage is logged')
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
