import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { isEngineError } from '../errors.js'
import { EngineListeners } from './engine-listeners.js'
import { KeptLog, REAL_CLOCK } from './loopback.test.kit.js'

function make(): EngineListeners {
  return new EngineListeners({ clock: REAL_CLOCK, log: new KeptLog().log })
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => isEngineError(error) && error.code === code
}

test('finds listeners by name, and refuses an unknown name', async () => {
  const listeners = make()
  const web = listeners.add('web', '0.0.0.0:0')
  await listeners.openAll()
  assert.equal(listeners.http('web'), web)
  assert.match(web.address, /^0\.0\.0\.0:[1-9]\d*$/)
  assert.match(web.origins[0] ?? '', /^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
  assert.equal((await fetch(`${web.origins[0]}/x`)).status, 404)
  assert.throws(() => listeners.http('nope'), hasCode('LISTEN_UNKNOWN'))
  await listeners.closeAll(0)
})

test('binds none if one address is in use, and names it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : 0
  const listeners = make()
  const good = listeners.add('good', '127.0.0.1:0')
  listeners.add('web', `127.0.0.1:${port}`)
  await assert.rejects(listeners.openAll(), (error: Error) => {
    assert.match(error.message, /listener "web" can't use 127\.0\.0\.1:\d+: it is in use/)
    return hasCode('LISTEN_IN_USE')(error)
  })
  assert.equal(good.address, '127.0.0.1:0')
  other.close()
})

test('reports an address that this machine does not have', async () => {
  const listeners = make()
  listeners.add('web', '192.0.2.1:0')
  await assert.rejects(listeners.openAll(), hasCode('LISTEN_NO_ADDRESS'))
})

test('refuses text that is not an address when the listener is added', () => {
  assert.throws(() => make().add('web', '8000'), hasCode('LISTEN_BAD_ADDRESS'))
})

test('stops accepting on all listeners except those named', async () => {
  const listeners = make()
  const web = listeners.add('web', '127.0.0.1:0')
  const api = listeners.add('api', '127.0.0.1:0')
  await listeners.openAll()
  const { origins } = web
  listeners.stopAccepting('api')
  await assert.rejects(fetch(`${origins[0]}/`))
  assert.equal((await fetch(`${api.origins[0]}/`)).status, 404)
  await listeners.closeAll(0)
})
