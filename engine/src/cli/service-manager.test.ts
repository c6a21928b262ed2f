import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { serviceManager } from './service-manager.js'

/** In the place of systemd's. A message is lost, or ends the sender, as long as there is a file that says so. */
const SYSTEMD_NOTIFY = `#!/bin/sh
if rm "$NOTIFY_SOCKET.fails" 2> /dev/null; then exit 1; fi
if rm "$NOTIFY_SOCKET.kills" 2> /dev/null; then kill -9 $PPID; exit; fi
echo "$@" >> "$NOTIFY_SOCKET"
`

let folder = ''
let path: string | undefined

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-notify-'))
  await writeFile(join(folder, 'systemd-notify'), SYSTEMD_NOTIFY)
  await chmod(join(folder, 'systemd-notify'), 0o755)
  path = process.env['PATH']
  process.env['PATH'] = `${folder}:${path ?? ''}`
  process.env['NOTIFY_SOCKET'] = join(folder, 'said')
})

after(async () => {
  process.env['PATH'] = path
  delete process.env['NOTIFY_SOCKET']
  await rm(folder, { recursive: true })
})

function said(): string {
  const file = join(folder, 'said')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

test('systemd is told that the engine runs, that it lives, and that it stops', async () => {
  const env = { NOTIFY_SOCKET: join(folder, 'said'), WATCHDOG_USEC: '60000', WATCHDOG_PID: '42' }
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
  await writeFile(join(folder, 'said'), '')
  const env = { NOTIFY_SOCKET: join(folder, 'said'), WATCHDOG_USEC: '1000', WATCHDOG_PID: '41' }
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
  await writeFile(join(folder, 'said'), '')
  await writeFile(join(folder, 'said.fails'), '')
  const env = { NOTIFY_SOCKET: join(folder, 'said'), WATCHDOG_USEC: '60000' }
  using manager = serviceManager({ env, pid: 42, warn: assert.fail })
  manager.ready()
  await until(() => said().includes('READY=1 WATCHDOG=1'), 'what comes after the lost message')
  assert.equal(existsSync(join(folder, 'said.fails')), false)
})

test('a sender that has ended is replaced, with a line of the log, and the new one says at once how things are', async () => {
  await writeFile(join(folder, 'said'), '')
  await writeFile(join(folder, 'said.kills'), '')
  const warned: string[] = []
  const env = { NOTIFY_SOCKET: join(folder, 'said'), WATCHDOG_USEC: '60000' }
  using manager = serviceManager({ env, pid: 42, warn: (text) => warned.push(text) })
  manager.ready()
  await until(() => warned.length > 0, 'the line')
  await writeFile(join(folder, 'said'), '')
  await until(() => said().includes('READY=1 WATCHDOG=1'), 'what the new sender says')
  assert.equal(warned.length, 1)
  assert.match(
    warned[0] ?? '',
    /tells systemd .* has ended \(SIGKILL\): started again in 20 ms; without it the watchdog/,
  )
})
