import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, beforeEach, test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { serviceManager } from './service-manager.js'

/** In the place of systemd's. A message is lost, or ends the sender, as long as there is a file that says so. */
const SYSTEMD_NOTIFY = `#!/bin/sh
if rm "$NOTIFY_SOCKET.fails" 2> /dev/null; then exit 1; fi
if rm "$NOTIFY_SOCKET.kills" 2> /dev/null; then kill -9 $PPID; exit; fi
echo "$@" >> "$NOTIFY_SOCKET"
`

let folder = ''
/** Where the messages of one test go: senders of earlier tests may still have some to tell. */
let socket = ''
let tests = 0
let path: string | undefined

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-notify-'))
  await writeFile(join(folder, 'systemd-notify'), SYSTEMD_NOTIFY)
  await chmod(join(folder, 'systemd-notify'), 0o755)
  path = process.env['PATH']
  process.env['PATH'] = `${folder}:${path ?? ''}`
})

after(async () => {
  process.env['PATH'] = path
  delete process.env['NOTIFY_SOCKET']
  // Senders that end now may still write.
  await rm(folder, { recursive: true, force: true, maxRetries: 10 })
})

beforeEach(() => {
  socket = join(folder, `said-${++tests}`)
  process.env['NOTIFY_SOCKET'] = socket
})

function said(): string {
  return existsSync(socket) ? readFileSync(socket, 'utf8') : ''
}

test('systemd is told that the engine runs, that it lives, and that it stops', async () => {
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000', WATCHDOG_PID: '42' }
  {
    using manager = serviceManager({ env, pid: 42, warn: assert.fail })
    assert.equal(said(), '')
    manager.ready()
    await until(() => said().split('WATCHDOG=1').length > 2, 'two signs of life')
    manager.stopping()
  }
  await until(() => said().includes('STOPPING=1'), 'that it stops')
  assert.match(said(), /^(?:READY=1 WATCHDOG=1\n)+(?:STOPPING=1 WATCHDOG=1\n)+$/)
})

test('a watchdog for another process gets no signs of life, and without systemd nothing is started', async () => {
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000', WATCHDOG_PID: '41' }
  {
    using manager = serviceManager({ env, pid: 42, warn: assert.fail })
    manager.ready()
    manager.stopping()
  }
  await until(() => said().includes('STOPPING=1'), 'that it stops')
  assert.equal(said(), 'READY=1\nSTOPPING=1\n')
  using none = serviceManager({ env: {}, pid: 42, warn: assert.fail })
  none.ready()
  none.stopping()
})

test('messages that systemd-notify cannot deliver are lost, those after them arrive, and say again that the engine runs', async () => {
  await writeFile(`${socket}.fails`, '')
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000' }
  using manager = serviceManager({ env, pid: 42, warn: assert.fail })
  manager.ready()
  await until(() => said().includes('READY=1 WATCHDOG=1'), 'what comes after the lost message')
  assert.equal(existsSync(`${socket}.fails`), false)
})

test('a sender that has ended is replaced, with a line of the log, and the new one says at once how things are', async () => {
  await writeFile(`${socket}.kills`, '')
  const warned: string[] = []
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000' }
  using manager = serviceManager({ env, pid: 42, warn: (text) => warned.push(text) })
  manager.ready()
  await until(() => warned.length > 0, 'the line')
  await writeFile(socket, '')
  await until(() => said().includes('READY=1 WATCHDOG=1'), 'what the new sender says')
  assert.equal(warned.length, 1)
  assert.match(
    warned[0] ?? '',
    /tells systemd .* has ended \(SIGKILL\): started again in 20 ms; without it the watchdog/,
  )
})
